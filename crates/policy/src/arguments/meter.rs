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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The visits that a value costs; nothing where it leads too deep.
    fn spent(schema: &Json, value: &str) -> Option<usize> {
        const BUDGET: usize = 1_000_000;
        let meter = Meter::new(schema).expect("a schema");
        let value = json::parse(value.as_bytes(), 128).expect("JSON");
        let mut left = BUDGET;
        meter.visit(&meter.schema, &value, 0, &mut left)?;
        Some(BUDGET - left)
    }

    #[test]
    fn every_schema_that_is_applied_counts() {
        for (schema, value, visits) in [
            (json!(true), "{}", 0),
            (json!({}), "{}", 1),
            (json!({"allOf": [{}, {}]}), "{}", 3),
            (json!({"anyOf": [{}], "oneOf": [{}], "not": {}, "if": {}, "then": {}, "else": {}}), "1", 7),
            (json!({"dependentSchemas": {"a": {}}, "dependencies": {"b": {}, "c": ["d"]}}), "{}", 3),
            (json!({"properties": {"a": {}, "c": {}}}), r#"{"a":1,"b":2}"#, 2),
            (json!({"additionalProperties": {}}), r#"{"a":1,"b":2}"#, 3),
            (json!({"patternProperties": {"x": {}, "y": {}}}), r#"{"a":1}"#, 3),
            (json!({"items": {}}), "[1,2,3]", 4),
            (json!({"items": [{}, {}]}), "[1]", 3),
            (json!({"prefixItems": [{}], "contains": {}, "additionalItems": {}}), "[1]", 4),
            (json!({"$ref": "#/$defs/a", "$defs": {"a": {}}}), "1", 2),
            (json!({"$ref": "#a", "$defs": {"x": {"$anchor": "a"}}}), "1", 2),
            // What is unevaluated is found by evaluating the rest once more.
            (json!({"allOf": [{}], "unevaluatedProperties": false}), "{}", 3),
            (json!({"allOf": [{}], "unevaluatedItems": false}), "[]", 3),
            (json!({"allOf": [{}], "unevaluatedItems": {}}), "[1]", 4),
        ] {
            assert_eq!(spent(&schema, value), Some(visits), "{schema} {value}");
        }
    }

    /// A value that is compared counts by its size, as often as it is compared; a text that is read, once more.
    #[test]
    fn comparing_counts_by_size() {
        let list = format!("[{}1]", "1,".repeat(15));
        let text = format!("\"{}\"", "x".repeat(40));
        let named = format!("{{{text}:1}}");
        let escaped = format!("\"{}\"", "\\u0061".repeat(10));
        let choices = |n: usize| json!({"enum": vec![0; n]});
        for (schema, value, visits) in [
            (choices(3), "1", 1 + 3),
            (json!({"const": 1}), "1", 1 + 1),
            (json!({"uniqueItems": true}), "1", 1 + 1),
            (json!({"const": 1, "uniqueItems": true, "enum": [1, 2]}), "1", 1 + 4),
            (choices(2), list.as_str(), 1 + 2 * 3),
            (json!({}), list.as_str(), 1),
            (json!({}), "\"abc\"", 1 + 1),
            (json!({}), text.as_str(), 1 + 3),
            (choices(2), text.as_str(), 1 + 3 * 3),
            (json!({"propertyNames": {}}), r#"{"a":1}"#, 1 + 2),
            (json!({"propertyNames": {}}), named.as_str(), 1 + 1 + 3),
            (json!({}), escaped.as_str(), 1 + 1),
        ] {
            assert_eq!(spent(&schema, value), Some(visits), "{schema} {value}");
        }
    }

    /// A hundred thousand visits are free, and four for each byte.
    #[test]
    fn the_budget_grows_with_the_arguments() {
        let meter = Meter::new(&json!({"items": {"enum": vec![0; 999]}})).expect("a schema");
        let measured = |n: usize| {
            let list = vec!["1"; n].join(",");
            let list = format!("[{list}]");
            meter.measure(&json::parse(list.as_bytes(), 2).expect("JSON"))
        };
        // A thousand visits for each of the elements and one for the list, against 100,000 + 4 * (2n + 1).
        assert_eq!(measured(100), Ok(()));
        assert!(measured(101).is_err());
    }

    #[test]
    fn the_way_into_schemas_is_bounded() {
        let nested = |open: &str, close: &str, n: usize| format!("{}1{}", open.repeat(n), close.repeat(n));
        let wrapped = |keyword: &str, inner: Json| json!({ keyword: inner });
        let twice = json!({"allOf": [{"allOf": [{"$ref": "#"}]}]});
        // Three and four schemas for each level of the value: 256 are too many.
        let named = wrapped("properties", json!({"x": {"allOf": [{"$ref": "#"}]}}));
        let cases = [
            (named, r#"{"x":"#, "}", 85),
            (wrapped("additionalProperties", twice.clone()), r#"{"x":"#, "}", 63),
            (wrapped("items", twice), "[", "]", 63),
        ];
        for (schema, open, close, most) in cases {
            assert!(spent(&schema, &nested(open, close, most)).is_some(), "{schema}");
            assert!(spent(&schema, &nested(open, close, most + 1)).is_none(), "{schema}");
        }
        let chain = |n: usize| {
            let link = |i: usize| (format!("a{i}"), json!({"$ref": format!("#/$defs/a{}", i + 1)}));
            let mut links: Map<String, Json> = (0..n).map(link).collect();
            links.insert(format!("a{n}"), json!({}));
            json!({"propertyNames": {"$ref": "#/$defs/a0"}, "$defs": links})
        };
        assert!(spent(&chain(253), r#"{"x":1}"#).is_some());
        assert!(spent(&chain(254), r#"{"x":1}"#).is_none());
    }

    #[test]
    fn the_depth_of_a_schema_is_bounded() {
        let wrap: [fn(Json) -> Json; 3] = [
            |inner| json!({"not": inner}),
            |inner| json!({"anyOf": [inner]}),
            |inner| json!({"properties": {"x": inner}}),
        ];
        for wrap in wrap {
            let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| wrap(inner));
            assert!(Meter::new(&nested(MAX_SCHEMA_DEPTH)).is_ok());
            let refused = Meter::new(&nested(MAX_SCHEMA_DEPTH + 1)).err();
            assert_eq!(refused, Some(ArgumentSchemaError::TooDeep(MAX_SCHEMA_DEPTH)));
        }
    }

    #[test]
    fn a_schema_may_have_a_name_at_its_top_alone() {
        assert!(
            Meter::new(&json!({"$id": "https://example.com/x", "id": "x", "not": {"title": "x"}})).is_ok()
        );
        for inner in ["$id", "id"] {
            let schema = json!({"not": {inner: "https://example.com/x"}});
            assert_eq!(Meter::new(&schema).err(), Some(ArgumentSchemaError::Reference(inner.to_owned())));
        }
    }

    #[test]
    fn references_are_pointers_from_the_top() {
        assert_eq!(pointer("#").as_deref(), Some(""));
        assert_eq!(pointer("#/a/b").as_deref(), Some("/a/b"));
        for other in ["", "/a", "#a", "#%2Fa", "#/a%20b", "x#/a"] {
            assert_eq!(pointer(other), None, "{other}");
        }
    }
}
