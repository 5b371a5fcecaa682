//! Holds an answer against the OpenAPI document.

use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::Answer;

/// The document, once.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(api::openapi)
}

/// An operation: `(method in capitals, path template, the operation)`.
pub fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'static Value)| {
        let path = path.clone();
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation)).collect()
    };
    paths.iter().flat_map(|entry| -> Vec<_> { of_path(entry) }).collect()
}

/// Follows a reference, if this is one.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => document().pointer(reference.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// Panics unless the answer is one that the document promises.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap();
    let said = format!("{method} {path} answered {}: {}", answer.status, answer.text);
    assert_eq!(answer.header("x-request-id").len(), 36, "{said}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{said}");
    if path != "/.well-known/jwks.json" {
        assert_eq!(answer.header("cache-control"), "no-store", "{said}");
    }
    if answer.status >= 400 {
        check_problem(answer, &said);
    }
    let Some(operation) = find(method, path) else {
        assert!(matches!(answer.status, 404 | 405), "not in the document: {said}");
        return;
    };
    let response = resolve(&operation["responses"][answer.status.to_string()]);
    assert!(response.is_object(), "no such status in the document: {said}");
    let Some(content) = response["content"].as_object() else {
        assert_eq!(answer.text, "", "{said}");
        return;
    };
    let kind = answer.header("content-type").split(';').next().unwrap().to_owned();
    assert!(content.contains_key(&kind), "`{kind}` is not in the document: {said}");
    if matches!(kind.as_str(), "application/json" | "application/problem+json") {
        validate(&content[&kind]["schema"], &answer.body, &said);
    }
}

fn check_problem(answer: &Answer, said: &str) {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{said}");
    assert_eq!(answer.body["status"], answer.status, "{said}");
    assert_eq!(answer.body["request_id"], answer.header("x-request-id"), "{said}");
    validate(&json!({"$ref": "#/components/schemas/Problem"}), &answer.body, said);
}

fn validate(schema: &Value, instance: &Value, said: &str) {
    let mut root = schema.clone();
    root["components"] = document()["components"].clone();
    let validator = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .build(&root)
        .unwrap();
    let errors: Vec<_> =
        validator.iter_errors(instance).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{said}\n{errors:#?}");
}

/// The operation that serves a path. Literal segments win over placeholders, as in the router.
fn find(method: &str, path: &str) -> Option<&'static Value> {
    let fits = |template: &str| {
        let (mut given, mut wanted) = (path.split('/'), template.split('/'));
        loop {
            match (given.next(), wanted.next()) {
                (None, None) => return true,
                (Some(given), Some(wanted)) if wanted.starts_with('{') || given == wanted => {}
                _ => return false,
            }
        }
    };
    operations()
        .into_iter()
        .filter(|(verb, template, _)| verb == method && fits(template))
        .min_by_key(|(_, template, _)| template.matches('{').count())
        .map(|(_, _, operation)| operation)
}
