//! Reads a text once, from front to back.

use std::borrow::Cow;

use crate::error::{Error, Kind};
use crate::number::{Fault, Number, scan};
use crate::string;
use crate::value::{Member, Node, Object, Span, Value};

/// The deepest nesting that any caller may allow: it bounds the stack, here and wherever a value is walked.
pub const MAX_DEPTH: usize = 128;
/// Bytes of pointers that [`parse_all`] collects: many faults below one long key would multiply it.
const MAX_REPORT: usize = 1 << 20;

/// Reads one value, at most `max_depth` lists and objects deep (and never over [`MAX_DEPTH`]).
pub fn parse(text: &[u8], max_depth: usize) -> Result<Value<'_>, Error> {
    let mut parser = Parser::new(text, max_depth, false)?;
    parser.document()
}

/// As [`parse`], but goes on behind duplicate keys, lone surrogates and numbers out of range, and gives them all back in
/// the order of the text (up to 1 MiB of pointers). With any of them, the value is only fit to be searched for more.
pub fn parse_all(text: &[u8], max_depth: usize) -> Result<(Value<'_>, Vec<Error>), Error> {
    let mut parser = Parser::new(text, max_depth, true)?;
    let value = parser.document()?;
    parser.found.sort_by_key(|error| error.offset);
    Ok((value, parser.found))
}

/// One step of the way to the value being read.
#[derive(Clone, Copy)]
enum Step {
    Key(Span),
    Index(usize),
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    max_depth: usize,
    path: Vec<Step>,
    /// Go on behind what can be stepped over.
    collect: bool,
    found: Vec<Error>,
    report: usize,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8], max_depth: usize, collect: bool) -> Result<Self, Error> {
        let refuse = |kind, offset| Error { kind, offset, pointer: String::new() };
        if u32::try_from(bytes.len()).is_err() {
            return Err(refuse(Kind::TooLong, 0));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(refuse(Kind::ByteOrderMark, 0));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| refuse(Kind::NotUtf8, error.valid_up_to()))?;
        let max_depth = max_depth.min(MAX_DEPTH);
        Ok(Self { text, at: 0, max_depth, path: Vec::new(), collect, found: Vec::new(), report: 0 })
    }

    fn document(&mut self) -> Result<Value<'a>, Error> {
        let value = self.value()?;
        self.skip_space();
        if self.at < self.text.len() { Err(self.error(Kind::TrailingData, self.at)) } else { Ok(value) }
    }

    fn value(&mut self) -> Result<Value<'a>, Error> {
        self.skip_space();
        let start = self.at;
        let node = match self.peek() {
            Some(b'{') => self.object()?,
            Some(b'[') => self.array()?,
            Some(b'"') => Node::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'n') => self.word("null", Node::Null)?,
            Some(b't') => self.word("true", Node::Bool(true))?,
            Some(b'f') => self.word("false", Node::Bool(false))?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Value { node, span: self.span_from(start) })
    }

    fn object(&mut self) -> Result<Node<'a>, Error> {
        self.enter()?;
        let mut members = Vec::new();
        let mut next = self.open(b'}', "a key in double quotes or `}`")?;
        while next {
            self.skip_space();
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let key = self.string()?;
            let key_span = self.span_from(start);
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            self.path.push(Step::Key(key_span));
            let value = self.value()?;
            self.path.pop();
            members.push(Member { key, key_span, value });
            next = self.another(b'}', "`,` or `}`")?;
        }
        self.close(members)
    }

    /// Refuses duplicate keys, or collects them.
    fn close(&mut self, members: Vec<Member<'a>>) -> Result<Node<'a>, Error> {
        let mut duplicates = Vec::new();
        let object = Object::new(members, |member| duplicates.push(member.key_span));
        duplicates.sort_by_key(|span| span.start);
        for key in duplicates {
            self.path.push(Step::Key(key));
            self.fault(Kind::DuplicateKey, key.start as usize)?;
            self.path.pop();
        }
        Ok(Node::Object(object))
    }

    fn array(&mut self) -> Result<Node<'a>, Error> {
        self.enter()?;
        let mut elements = Vec::new();
        let mut next = self.open(b']', "a value or `]`")?;
        while next {
            self.path.push(Step::Index(elements.len()));
            elements.push(self.value()?);
            self.path.pop();
            next = self.another(b']', "`,` or `]`")?;
        }
        Ok(Node::Array(elements))
    }

    /// Steps over the bracket that opens a list or object. The path is as long as the value is deep.
    fn enter(&mut self) -> Result<(), Error> {
        if self.path.len() >= self.max_depth {
            return Err(self.error(Kind::TooDeep(self.max_depth), self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether anything stands in the brackets; steps over the closing one otherwise.
    fn open(&mut self, closing: u8, expected: &'static str) -> Result<bool, Error> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == closing => {
                self.at += 1;
                Ok(false)
            }
            Some(_) => Ok(true),
            None => Err(self.unexpected(expected)),
        }
    }

    /// Steps over a comma (another one follows) or the closing bracket (none does).
    fn another(&mut self, closing: u8, expected: &'static str) -> Result<bool, Error> {
        self.skip_space();
        match self.peek() {
            Some(byte) if byte == b',' || byte == closing => {
                self.at += 1;
                Ok(byte == b',')
            }
            _ => Err(self.unexpected(expected)),
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        let start = self.at;
        let read = string::read(&self.text[start..]);
        match read.fault {
            Some((kind, offset)) if kind == Kind::LoneSurrogate => self.fault(kind, start + offset)?,
            Some((kind, offset)) => return Err(self.error(kind, start + offset)),
            None => {}
        }
        self.at = start + read.length;
        Ok(read.text)
    }

    fn number(&mut self) -> Result<Node<'a>, Error> {
        let scan = scan(&self.text.as_bytes()[self.at..]);
        let number = &self.text[self.at..self.at + scan.length];
        match scan.fault {
            Some(Fault::Grammar) => {
                self.at += scan.length;
                return Err(self.unexpected("a digit, and no leading zero"));
            }
            Some(Fault::Range) => {
                self.fault(Kind::NumberRange, self.at)?;
                self.at += scan.length;
                return Ok(Node::Number(Number::trusted("0")));
            }
            None => {}
        }
        self.at += scan.length;
        Ok(Node::Number(Number::trusted(number)))
    }

    fn word(&mut self, word: &'static str, node: Node<'a>) -> Result<Node<'a>, Error> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(node);
        }
        let cut_short = word.as_bytes().starts_with(rest);
        Err(self.error(if cut_short { Kind::UnexpectedEnd } else { Kind::Unexpected("a value") }, self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a text of more than 4 GiB has been refused")]
    fn span_from(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.at as u32 }
    }

    fn unexpected(&self, expected: &'static str) -> Error {
        let kind = if self.at < self.text.len() { Kind::Unexpected(expected) } else { Kind::UnexpectedEnd };
        self.error(kind, self.at)
    }

    /// Something that can be stepped over: collected, or returned.
    fn fault(&mut self, kind: Kind, offset: usize) -> Result<(), Error> {
        if !self.collect {
            return Err(self.error(kind, offset));
        }
        if self.report < MAX_REPORT {
            let error = self.error(kind, offset);
            self.report += error.pointer.len() + 1;
            self.found.push(error);
        }
        Ok(())
    }

    fn error(&self, kind: Kind, offset: usize) -> Error {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Index(index) => pointer.push_str(&index.to_string()),
                Step::Key(span) => {
                    let key = string::read(&self.text[span.start as usize..span.end as usize]).text;
                    pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                }
            }
        }
        Error { kind, offset, pointer }
    }
}
