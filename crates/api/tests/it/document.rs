//! The OpenAPI document itself: whole, consistent, and of every route.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::conformity::{document, operations, resolve};

fn every<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(key));
            object.values().for_each(|value| every(value, key, found));
        }
        Value::Array(list) => list.iter().for_each(|value| every(value, key, found)),
        _ => {}
    }
}

#[test]
fn it_is_openapi_3_1_and_every_reference_leads_somewhere() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut references = Vec::new();
    every(document, "$ref", &mut references);
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

#[test]
fn every_schema_is_json_schema_2020_12() {
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}: {schema}");
    }
}

#[test]
fn every_handler_is_in_it() {
    let mut handlers = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        // A route that is added past `routes!` would be in the router and not in the document.
        assert!(!text.contains(".route("), "add routes with `routes!`");
        handlers += text.matches("#[utoipa::path(").count();
    }
    assert_eq!(operations().len(), handlers, "a handler is in no `routes!`");
}

#[test]
fn every_operation_says_what_it_is() {
    let tags: BTreeSet<_> =
        document()["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).map(Value::to_string).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let said = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{said} has no summary");
        assert!(ids.insert(operation["operationId"].to_string()), "{said} has another's id");
        for tag in operation["tags"].as_array().unwrap() {
            assert!(tags.contains(&tag.to_string()), "{said} has the unknown tag {tag}");
        }
        let named: Vec<_> = path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let declared: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "path").collect();
        assert_eq!(declared.len(), named.len(), "{said} declares other parameters than it has");
        for parameter in parameters {
            assert!(parameter["description"].is_string(), "{said}: {parameter}");
        }
    }
}

#[test]
fn every_operation_documents_its_refusals() {
    for (method, path, operation) in operations() {
        let said = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let public = operation["security"] == serde_json::json!([{}]);
        let has_body = operation["requestBody"].is_object();
        let needed = [
            ("500", true),
            ("503", true),
            ("401", !public),
            ("404", path.contains('{')),
            ("400", has_body),
            ("413", has_body),
            ("415", has_body),
            ("422", has_body),
        ];
        for (status, needed) in needed {
            assert!(!needed || responses.contains_key(status), "{said} does not document {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let content = &resolve(response)["content"]["application/problem+json"];
            assert!(content.is_object(), "{said} has no problem for {status}");
        }
        assert!(responses.keys().any(|status| status.starts_with('2')), "{said} never succeeds");
    }
}

#[test]
fn every_body_refuses_what_it_does_not_know() {
    for (method, path, operation) in operations() {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let schema = resolve(schema);
        assert_eq!(schema["type"], "object", "{method} {path}");
        assert_eq!(schema["additionalProperties"], false, "{method} {path} takes unknown fields");
    }
}
