//! Counts the work of validating before it is done.
//!
//! References and combinations let a small schema ask for exponential work on a small value. The meter walks schema and
//! value together as a validator would, only without judging anything: it visits at least what the validator visits, and
//! stops when that is too much or too deep.

use std::collections::HashMap;

use json::{Node, Value};
use serde_json::{Map, Value as Json};

use super::ArgumentSchemaError;
use crate::work;

/// Levels of a schema.
const MAX_SCHEMA_DEPTH: usize = 64;
/// Schemas within schemas that one value may be led through, all levels of the value together: it bounds the stack.
const MAX_DEPTH: usize = 256;
/// Visits that any call may cost, and as many again for each byte of its arguments.
const FREE_VISITS: usize = 100_000;
const VISITS_PER_BYTE: usize = 4;

/// What the schemas of a keyword are applied to.
#[derive(Clone, Copy, PartialEq)]
enum To {
    /// The same value.
    Itself,
    /// Any child of it: more than the validator would visit, never less.
    Children,
    /// Only where it is referred to, or looked up by name.
    Elsewhere,
}

/// How a keyword holds schemas.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    One,
    List,
    Map,
    OneOrList,
}

/// Every keyword that holds schemas, of all drafts.
const KEYWORDS: [(&str, To, Shape); 21] = [
    ("allOf", To::Itself, Shape::List),
    ("anyOf", To::Itself, Shape::List),
    ("oneOf", To::Itself, Shape::List),
    ("not", To::Itself, Shape::One),
    ("if", To::Itself, Shape::One),
    ("then", To::Itself, Shape::One),
    ("else", To::Itself, Shape::One),
    ("dependentSchemas", To::Itself, Shape::Map),
    ("dependencies", To::Itself, Shape::Map),
    ("patternProperties", To::Children, Shape::Map),
    ("additionalProperties", To::Children, Shape::One),
    ("unevaluatedProperties", To::Children, Shape::One),
    ("items", To::Children, Shape::OneOrList),
    ("prefixItems", To::Children, Shape::List),
    ("additionalItems", To::Children, Shape::One),
    ("unevaluatedItems", To::Children, Shape::One),
    ("contains", To::Children, Shape::One),
    ("properties", To::Elsewhere, Shape::Map),
    ("propertyNames", To::Elsewhere, Shape::One),
    ("$defs", To::Elsewhere, Shape::Map),
    ("definitions", To::Elsewhere, Shape::Map),
];

/// A schema whose references have all been found.
pub(super) struct Meter {
    schema: Json,
    /// Where each `$ref` leads: a JSON Pointer into the schema.
    targets: HashMap<String, String>,
}

impl Meter {
    pub(super) fn new(schema: &Json) -> Result<Self, ArgumentSchemaError> {
        let mut survey = Survey::default();
        survey.walk(schema, "", 0)?;
        let mut targets = HashMap::new();
        for reference in survey.references {
            let target = survey.anchors.get(&reference).cloned().or_else(|| pointer(&reference));
            match target.filter(|target| schema.pointer(target).is_some()) {
                Some(target) => targets.insert(reference, target),
                None => return Err(ArgumentSchemaError::Reference(super::shorten(&reference))),
            };
        }
        Ok(Self { schema: schema.clone(), targets })
    }

    /// Refuses arguments that would be too much work.
    pub(super) fn measure(&self, arguments: &Value<'_>) -> Result<(), String> {
        let bytes = arguments.span.end.saturating_sub(arguments.span.start) as usize;
        let mut left = FREE_VISITS + bytes.saturating_mul(VISITS_PER_BYTE);
        match self.visit(&self.schema, arguments, 0, &mut left) {
            Some(()) => Ok(()),
            None => {
                Err("checking the arguments against the tool's input schema would take too long".to_owned())
            }
        }
    }

    /// `None` when it is too much.
    fn visit(&self, schema: &Json, value: &Value<'_>, depth: usize, left: &mut usize) -> Option<()> {
        let Json::Object(schema) = schema else { return Some(()) };
        work::steps(1);
        *left = left.checked_sub(1 + own_work(schema, value))?;
        if depth >= MAX_DEPTH {
            return None;
        }
        // What is unevaluated is found by evaluating the rest once more.
        let evaluates_twice =
            schema.contains_key("unevaluatedProperties") || schema.contains_key("unevaluatedItems");
        for _ in 0..=usize::from(evaluates_twice) {
            each_inner(schema, To::Itself, &mut |inner| self.visit(inner, value, depth + 1, left))?;
            if let Some(reference) = schema.get("$ref").and_then(Json::as_str) {
                let target = self.schema.pointer(self.targets.get(reference)?)?;
                self.visit(target, value, depth + 1, left)?;
            }
        }
        match &value.node {
            Node::Array(elements) => {
                for element in elements {
                    each_inner(schema, To::Children, &mut |inner| {
                        self.visit(inner, element, depth + 1, left)
                    })?;
                }
            }
            Node::Object(object) => {
                let properties = schema.get("properties").and_then(Json::as_object);
                for member in object.members() {
                    each_inner(schema, To::Children, &mut |inner| {
                        self.visit(inner, &member.value, depth + 1, left)
                    })?;
                    if let Some(named) = properties.and_then(|properties| properties.get(member.key.as_ref()))
                    {
                        self.visit(named, &member.value, depth + 1, left)?;
                    }
                    if let Some(names) = schema.get("propertyNames") {
                        self.visit(names, &Value::string(&member.key), depth + 1, left)?;
                    }
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// What a schema asks of a value itself: its text, where that is read; the whole of it, where it is compared.
fn own_work(schema: &Map<String, Json>, value: &Value<'_>) -> usize {
    let size = match &value.node {
        Node::String(text) => text.len(),
        _ => value.span.end.saturating_sub(value.span.start) as usize,
    };
    let choices = schema.get("enum").and_then(Json::as_array).map_or(0, Vec::len);
    let compares =
        choices + usize::from(schema.contains_key("const")) + usize::from(schema.contains_key("uniqueItems"));
    let reads = usize::from(matches!(value.node, Node::String(_)));
    (compares + reads).saturating_mul(size / 16 + 1)
}

/// Hands on every schema that a schema applies to one kind of thing, until it is too much.
fn each_inner(schema: &Map<String, Json>, to: To, f: &mut dyn FnMut(&Json) -> Option<()>) -> Option<()> {
    for (_, _, shape, held) in held(schema).filter(|(_, applies_to, ..)| *applies_to == to) {
        match (shape, held) {
            (Shape::List | Shape::OneOrList, Json::Array(list)) => list.iter().try_for_each(&mut *f)?,
            (Shape::Map, Json::Object(map)) => map.values().try_for_each(&mut *f)?,
            (Shape::One | Shape::OneOrList, one) => f(one)?,
            _ => {}
        }
    }
    Some(())
}

/// The keywords of a schema that hold schemas.
fn held(schema: &Map<String, Json>) -> impl Iterator<Item = (&'static str, To, Shape, &Json)> {
    KEYWORDS.iter().filter_map(|(name, to, shape)| Some((*name, *to, *shape, schema.get(*name)?)))
}

/// The pointer of a reference like `#` or `#/$defs/x`.
fn pointer(reference: &str) -> Option<String> {
    let pointer = reference.strip_prefix('#')?;
    let plain = (pointer.is_empty() || pointer.starts_with('/')) && !pointer.contains('%');
    plain.then(|| pointer.to_owned())
}

/// What is to be known of a schema before it is used.
#[derive(Default)]
struct Survey {
    references: Vec<String>,
    /// `#name` to the pointer of the schema that is called so.
    anchors: HashMap<String, String>,
}

impl Survey {
    /// Walks every schema within a schema.
    fn walk(&mut self, schema: &Json, at: &str, depth: usize) -> Result<(), ArgumentSchemaError> {
        let Json::Object(schema) = schema else { return Ok(()) };
        if depth > MAX_SCHEMA_DEPTH {
            return Err(ArgumentSchemaError::TooDeep(MAX_SCHEMA_DEPTH));
        }
        // An inner `$id` would give the references below it another meaning; dynamic ones have none before the call.
        let inner_id = ["$id", "id"]
            .into_iter()
            .find(|name| depth > 0 && schema.get(*name).is_some_and(Json::is_string));
        let dynamic = ["$dynamicRef", "$recursiveRef"].into_iter().find(|name| schema.contains_key(*name));
        if let Some(name) = inner_id.or(dynamic) {
            return Err(ArgumentSchemaError::Reference(name.to_owned()));
        }
        self.references.extend(schema.get("$ref").and_then(Json::as_str).map(str::to_owned));
        let anchor = schema.get("$anchor").and_then(Json::as_str).map(|anchor| format!("#{anchor}"));
        if let Some(anchor) = anchor
            && self.anchors.insert(anchor.clone(), at.to_owned()).is_some()
        {
            return Err(ArgumentSchemaError::Reference(super::shorten(&anchor)));
        }
        for (name, _, shape, held) in held(schema) {
            match (shape, held) {
                (Shape::List | Shape::OneOrList, Json::Array(list)) => {
                    for (i, inner) in list.iter().enumerate() {
                        self.walk(inner, &format!("{at}/{name}/{i}"), depth + 1)?;
                    }
                }
                (Shape::Map, Json::Object(map)) => {
                    for (key, inner) in map {
                        let key = key.replace('~', "~0").replace('/', "~1");
                        self.walk(inner, &format!("{at}/{name}/{key}"), depth + 1)?;
                    }
                }
                (Shape::One | Shape::OneOrList, one) => self.walk(one, &format!("{at}/{name}"), depth + 1)?,
                _ => {}
            }
        }
        Ok(())
    }
}
