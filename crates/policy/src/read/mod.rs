//! Reads a document: every problem in one go, shorthand expanded, all of it compiled.
//!
//! A file per part of the document: here is what they share. A part that can't be read is reported and left out; the
//! document is refused for it in the end, so what stands in its place is never judged.

pub(crate) mod condition;
mod document;
mod entry;
mod limit;
mod scalar;

use std::collections::HashMap;
use std::sync::Arc;

use json::{Member, Node, Object, Span, Value};

use crate::document::{At, Policy};
use crate::pattern::Pattern;
use crate::problem::{Places, Problem, Report};

/// Bytes of a document.
pub const MAX_DOCUMENT: usize = 256 << 10;
/// Lists and objects within each other.
pub const MAX_DEPTH: usize = 32;

impl Policy {
    /// Reads and compiles a document, or says everything that is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, Vec<Problem>> {
        let mut report = Report::default();
        if text.len() > MAX_DOCUMENT {
            report.add(0, "", "too_large", "the document is over 256 KiB: split it by server or shorten it");
            return Err(report.finish(b""));
        }
        let (value, faults) = match json::parse_all(text, MAX_DEPTH) {
            Ok(read) => read,
            // Behind a text that can't be read to its end there is nothing to look at.
            Err(error) => {
                report.add(offset(error.offset), &error.pointer, code(error.kind), error.kind.to_string());
                return Err(report.finish(text));
            }
        };
        for fault in faults {
            report.add(offset(fault.offset), &fault.pointer, code(fault.kind), fault.kind.to_string());
        }
        let mut reader = Reader::new(text, report);
        match reader.document(&value) {
            Some(mut policy) if reader.report.is_empty() => {
                policy.notes = reader.notes.finish(text);
                Ok(policy)
            }
            _ => Err(reader.report.finish(text)),
        }
    }
}

fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn code(kind: json::Kind) -> &'static str {
    match kind {
        json::Kind::DuplicateKey => "duplicate_key",
        json::Kind::TooDeep(_) => "too_deep",
        json::Kind::NumberRange => "out_of_range",
        _ => "syntax",
    }
}

/// A document being read.
struct Reader<'t> {
    report: Report,
    /// Warnings that need no knowledge of the server.
    notes: Report,
    places: Places<'t>,
    /// The pointer of the value being read.
    pointer: String,
    /// Conditions read so far.
    conditions: usize,
    /// Each expression is compiled once, however often it is written.
    patterns: HashMap<String, Option<Arc<Pattern>>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8], report: Report) -> Self {
        Self {
            report,
            notes: Report::default(),
            places: Places::new(text),
            pointer: String::new(),
            conditions: 0,
            patterns: HashMap::new(),
        }
    }

    /// Reads one level deeper: `token` is a key or an index.
    fn within<T>(&mut self, token: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.pointer.push('/');
        for character in token.chars() {
            match character {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                _ => self.pointer.push(character),
            }
        }
        let result = read(self);
        self.pointer.truncate(length);
        result
    }

    /// Reads every member of an object; `read` answers whether it knows the field.
    fn fields(
        &mut self,
        object: &Object<'_>,
        known: &[&str],
        mut read: impl FnMut(&mut Self, &str, &Value<'_>),
    ) {
        for member in object.members() {
            self.within(&member.key, |reader| {
                if known.contains(&member.key.as_ref()) {
                    read(reader, &member.key, &member.value);
                } else {
                    reader.unknown_field(member, known);
                }
            });
        }
    }

    fn unknown_field(&mut self, member: &Member<'_>, known: &[&str]) {
        let message = format!("unknown field `{}`: use {}", shown(&member.key), one_of(known));
        self.report.add(member.key_span.start, &self.pointer, "unknown_field", message);
    }

    /// Reads every element of a list; `what` names the list in the problem if it isn't one.
    fn elements<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        mut read: impl FnMut(&mut Self, &Value<'_>, u32) -> Option<T>,
    ) -> Vec<T> {
        let Some(elements) = value.as_array() else {
            self.wrong_type(value, what);
            return Vec::new();
        };
        let each = (0_u32..).zip(elements);
        each.filter_map(|(i, element)| self.within(&i.to_string(), |reader| read(reader, element, i)))
            .collect()
    }

    fn object<'v, 'a>(&mut self, value: &'v Value<'a>, what: &str) -> Option<&'v Object<'a>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong_type(value, what);
        }
        object
    }

    /// Reports a field that an object must have.
    fn missing(&mut self, owner: &Value<'_>, field: &str, how: &str) {
        self.problem(owner.span, "missing_field", format!("`{field}` is missing: {how}"));
    }

    fn wrong_type(&mut self, value: &Value<'_>, wanted: &str) {
        self.problem(value.span, "wrong_type", format!("this is {}: write {wanted}", kind(value)));
    }

    fn problem(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.report.add(span.start, &self.pointer, code, message);
    }

    fn note(&mut self, span: Span, code: &'static str, message: impl Into<String>) {
        self.notes.add(span.start, &self.pointer, code, message);
    }

    fn at(&mut self, span: Span) -> At {
        let (line, column) = self.places.of(span.start);
        At { line, column }
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value.node {
        Node::Null => "null",
        Node::Bool(_) => "true or false",
        Node::Number(_) => "a number",
        Node::String(_) => "a text",
        Node::Array(_) => "a list",
        Node::Object(_) => "an object",
    }
}

/// `a`, `b` or `c`, in backticks.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A text of the document, short enough to repeat.
fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
