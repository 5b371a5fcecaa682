//! The published JSON Schema: what it refuses the reader refuses, and what the reader takes it takes.

use policy::Policy;
use serde_json::{Value, json};

fn agrees(document: &Value) -> (bool, bool) {
    let validator = jsonschema::validator_for(&policy::schema()).expect("a JSON Schema");
    (validator.is_valid(document), Policy::read(document.to_string().as_bytes()).is_ok())
}

#[test]
fn it_is_a_schema_of_2020_12() {
    let schema = policy::schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(jsonschema::meta::is_valid(&schema));
    assert!(!schema.to_string().contains("\"null\""), "nothing may be null");
}

#[test]
fn every_document_of_the_vectors_is_valid() {
    let vectors: Value = serde_json::from_slice(include_bytes!("../data/policy-vectors.json")).expect("JSON");
    let documents = vectors["cases"].as_array().expect("cases").iter().map(|case| &case["policy"]);
    for document in documents.filter(|document| !document.is_null()) {
        assert_eq!(agrees(document), (true, true), "{document}");
    }
}

#[test]
fn canonical_forms_are_valid() {
    let document = include_str!("../data/everything.json");
    let canonical = super::case::read(document).canonical();
    for text in [document, &canonical] {
        assert_eq!(agrees(&serde_json::from_str(text).expect("JSON")), (true, true));
    }
}

/// Changes one place of a document that has everything in it.
fn changed(pointer: &str, value: Value) -> Value {
    let mut document: Value = serde_json::from_str(include_str!("../data/everything.json")).expect("JSON");
    if let Some(place) = document.pointer_mut(pointer) {
        *place = value;
    } else {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        document.pointer_mut(parent).expect("a parent")[key] = value;
    }
    document
}

#[test]
fn both_refuse_the_same_mistakes() {
    for (pointer, value) in [
        ("/version", json!("2")),
        ("/version", json!(1)),
        ("/default", json!("ask")),
        ("/mode", json!("off")),
        ("/mode", json!(null)),
        ("/hide", json!("x")),
        ("/hide", json!([""])),
        ("/hide", json!([1])),
        ("/hide", json!(["x".repeat(257)])),
        ("/validate_arguments", json!("yes")),
        ("/description", json!(null)),
        ("/tools", json!([])),
        ("/unknown", json!(1)),
        ("/methods", json!("allow")),
        ("/methods", json!(null)),
        ("/methods/tools", json!("allow")),
        ("/methods/resources", json!(true)),
        ("/methods/resources", json!("ask")),
        ("/all_tools/action", json!("deny")),
        ("/all_tools/reason", json!("x")),
        ("/tools/a/unknown", json!(1)),
        ("/tools/a/action", json!("ask")),
        ("/tools/a/rate_limit", json!("10 per minute")),
        ("/tools/a/rate_limit", json!({"max": 1})),
        ("/tools/a/rate_limit", json!({"max": 1, "window": 1, "scope": "grant"})),
        ("/tools/a/require", json!({})),
        ("/tools/a/require", json!([{}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "eq"}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "eq", "value": 1, "on_deny": "x"}])),
        ("/tools/a/require", json!([{"path": "arg.x", "op": "eq", "value": 1}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "equals", "value": 1}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "in", "value": 1}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "gt", "value": "1"}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "regex", "value": 1}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "length_lte", "value": -1}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "length_lte", "value": 1.5}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "url_host_in", "value": "a.test"}])),
        ("/tools/a/require", json!([{"path": "args.x", "op": "exists", "value": 1}])),
        ("/tools/a/require", json!([{"all": []}])),
        ("/tools/a/require", json!([{"any": [], "all": []}])),
        ("/tools/a/require", json!([{"not": []}])),
        ("/tools/a/deny_if", json!([{"path": "args.x", "op": "exists", "value": true}])),
        ("/tools/a/deny_if", json!([{"on_deny": "x"}])),
        ("/tools/a/deny_if", json!([{"conditions": {}}])),
        ("/tools/a/approve_if", json!([{"conditions": [], "on_deny": "x"}])),
        ("/tools/a/approve_if", json!([{"conditions": [], "expires_in": 60}])),
        ("/tools/a/approve_if", json!([{"conditions": [], "expires_in": "1 hour"}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": "minute"}])),
        (
            "/tools/a/limits",
            (0..65).map(|i| json!({"counter": format!("c{i}"), "window": 1, "max": 1})).collect(),
        ),
        ("/tools/a/limits", json!([{"counter": "c d", "window": "minute", "max": 1}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": "week", "max": 1}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 0, "max": 1}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 2_678_401, "max": 1}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": -1}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": 9_000_000_001_u64}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": "1"}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": 1, "scope": "user"}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": 1, "align": "fixed"}])),
        ("/tools/a/limits", json!([{"counter": "c", "window": 1, "max": 1, "increment": null}])),
    ] {
        assert_eq!(agrees(&changed(pointer, value.clone())), (false, false), "{pointer} {value}");
    }
}
