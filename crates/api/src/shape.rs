//! Holds a body against its schema in the OpenAPI document: what is published is what is enforced.
//!
//! Knows the part of JSON Schema that our input types use. What a value means (an address, a name) is checked by the
//! operation that takes it.

use control::FieldProblem;
use json::{Node, Value};
use serde_json::Value as Schema;

/// Everything about `value` that differs from the component schema of this name.
pub(crate) fn check(value: &Value<'_>, name: &str, document: &Schema) -> Vec<FieldProblem> {
    let mut check = Check { document, pointer: String::new(), problems: Vec::new() };
    match document.pointer(&format!("/components/schemas/{name}")) {
        Some(schema) => check.value(value, schema),
        // A body type that is not published can't be checked, so it is refused.
        None => check.problem("", "has no published form"),
    }
    check.problems
}

struct Check<'s> {
    document: &'s Schema,
    /// Where we are.
    pointer: String,
    problems: Vec<FieldProblem>,
}

impl Check<'_> {
    fn value(&mut self, value: &Value<'_>, schema: &Schema) {
        if let Some(reference) = schema["$ref"].as_str() {
            let document = self.document;
            return match document.pointer(reference.trim_start_matches('#')) {
                Some(schema) => self.value(value, schema),
                None => self.problem("", "has no published form"),
            };
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.one_of(value, choices);
        }
        let allowed = types(schema);
        if !allowed.is_empty() && !allowed.iter().any(|kind| has_type(value, kind)) {
            let found = found(value);
            return self.problem("", &format!("must be {}, not {found}", article(&allowed)));
        }
        if let (Some(words), Some(text)) = (schema["enum"].as_array(), value.as_str())
            && !words.iter().any(|word| word == text)
        {
            let words: Vec<_> = words.iter().filter_map(Schema::as_str).collect();
            return self.problem("", &format!("must be one of {}", words.join(", ")));
        }
        match &value.node {
            Node::Object(object) => self.object(object, schema),
            Node::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    self.under(&at.to_string(), |check| check.value(element, &schema["items"]));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, object: &json::Object<'_>, schema: &Schema) {
        let properties = &schema["properties"];
        for member in object.members() {
            match properties.get(&*member.key) {
                Some(schema) => self.under(&member.key, |check| check.value(&member.value, schema)),
                None if schema["additionalProperties"] == false => {
                    let known: Vec<_> =
                        properties.as_object().into_iter().flat_map(|all| all.keys()).collect();
                    let known: Vec<_> = known.iter().map(|key| format!("`{key}`")).collect();
                    let message =
                        format!("is not a field here: remove it, or use one of {}", known.join(", "));
                    self.problem(&member.key, &message);
                }
                None => {}
            }
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str) {
            if object.get(name).is_none() {
                self.problem(name, "is missing: add it");
            }
        }
    }

    /// Ours are `T or null`: a value that is not null is held against the other choice, to say what is wrong with it.
    fn one_of(&mut self, value: &Value<'_>, choices: &[Schema]) {
        if value.is_null() && choices.iter().any(|choice| choice["type"] == "null") {
            return;
        }
        if let Some(choice) = choices.iter().find(|choice| choice["type"] != "null") {
            self.value(value, choice);
        }
    }

    fn under(&mut self, key: &str, then: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&escape(key));
        then(self);
        self.pointer.truncate(length);
    }

    /// A problem of the value that we are at, or of its member `key`.
    fn problem(&mut self, key: &str, message: &str) {
        let mut pointer = self.pointer.clone();
        if !key.is_empty() {
            pointer.push('/');
            pointer.push_str(&escape(key));
        }
        self.problems.push(FieldProblem { pointer, message: message.to_owned() });
    }
}

/// A key in a JSON Pointer (RFC 6901, 3). Cut, since whoever sends it decides its length.
fn escape(key: &str) -> String {
    key.chars().take(200).collect::<String>().replace('~', "~0").replace('/', "~1")
}

/// The types that a schema allows; none stands for any.
fn types(schema: &Schema) -> Vec<&str> {
    match &schema["type"] {
        Schema::String(one) => vec![one],
        Schema::Array(several) => several.iter().filter_map(Schema::as_str).collect(),
        _ => Vec::new(),
    }
}

fn has_type(value: &Value<'_>, kind: &str) -> bool {
    match (&value.node, kind) {
        (Node::Null, "null")
        | (Node::Bool(_), "boolean")
        | (Node::Number(_), "number")
        | (Node::String(_), "string")
        | (Node::Array(_), "array")
        | (Node::Object(_), "object") => true,
        (Node::Number(number), "integer") => number.text().parse::<i64>().is_ok(),
        _ => false,
    }
}

fn found(value: &Value<'_>) -> &'static str {
    match &value.node {
        Node::Null => "null",
        Node::Bool(_) => "a boolean",
        Node::Number(_) => "a number",
        Node::String(_) => "a string",
        Node::Array(_) => "a list",
        Node::Object(_) => "an object",
    }
}

fn article(types: &[&str]) -> String {
    let words = types.iter().map(|kind| match *kind {
        "null" => "null",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        "array" => "a list",
        "object" => "an object",
        _ => "a string",
    });
    words.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(body: &str) -> Vec<String> {
        let document = serde_json::json!({"components": {"schemas": {
            "Server": {
                "type": "object",
                "required": ["name", "headers"],
                "additionalProperties": false,
                "properties": {
                    "name": {"type": "string"},
                    "version": {"type": ["integer", "null"]},
                    "state": {"type": "string", "enum": ["ready", "down"]},
                    "owner": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Owner"}]},
                    "headers": {"type": "array", "items": {"$ref": "#/components/schemas/Owner"}},
                    "policy": {"type": ["object", "string"]}
                }
            },
            "Owner": {"type": "object", "required": ["id"], "properties": {"id": {"type": "boolean"}}}
        }}});
        let value = json::parse(body.as_bytes(), 16).unwrap();
        let found = check(&value, "Server", &document);
        found.into_iter().map(|problem| format!("{} {}", problem.pointer, problem.message)).collect()
    }

    #[test]
    fn what_fits_is_taken() {
        for body in [
            r#"{"name": "a", "headers": []}"#,
            r#"{"name": "", "headers": [{"id": true, "more": 1}], "version": null, "owner": null}"#,
            r#"{"name": "a", "headers": [], "version": -3, "owner": {"id": false}, "state": "down"}"#,
            r#"{"name": "a", "headers": [], "policy": {"any": [1]}}"#,
            r#"{"name": "a", "headers": [], "policy": "any"}"#,
        ] {
            assert_eq!(problems(body), Vec::<String>::new(), "{body}");
        }
    }

    #[test]
    fn everything_wrong_is_said_at_its_place() {
        let body = r#"{"name": 1, "version": 1.5, "state": "up", "owner": {"id": "x"}, "a/b~c": 1,
                       "headers": [{"id": true}, {}, []], "policy": []}"#;
        assert_eq!(
            problems(body),
            [
                "/name must be a string, not a number",
                "/version must be a whole number or null, not a number",
                "/state must be one of ready, down",
                "/owner/id must be true or false, not a string",
                "/a~1b~0c is not a field here: remove it, or use one of `name`, `version`, `state`, `owner`, \
                 `headers`, `policy`",
                "/headers/1/id is missing: add it",
                "/headers/2 must be an object, not a list",
                "/policy must be an object or a string, not a list",
            ]
        );
        assert_eq!(problems("[]"), [" must be an object, not a list"]);
        assert_eq!(problems("{}"), ["/name is missing: add it", "/headers is missing: add it"]);
    }

    #[test]
    fn a_form_that_is_not_published_takes_nothing() {
        let value = json::parse(b"{}", 16).unwrap();
        assert_eq!(check(&value, "Server", &serde_json::json!({})).len(), 1);
    }
}
