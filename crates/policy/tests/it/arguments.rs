//! `validate_arguments`: against the tool's own schema, bounded, nothing fetched.

use policy::{ArgumentSchema, ArgumentSchemaError, Verdict};
use serde_json::{Value, json};

use super::case::{line, read, verdict};

const WANTED: &str = r#"{"version":"1","default":"deny","validate_arguments":true,"tools":{"a":{}}}"#;

fn check(schema: &Value, arguments: &str) -> Result<(), String> {
    let schema = ArgumentSchema::compile(schema).expect("compiles");
    match verdict(&read(WANTED), "a", arguments, Some(&schema)) {
        Verdict::Allow { .. } => Ok(()),
        Verdict::Deny(refusal) => {
            assert_eq!(&*refusal.rule, "/validate_arguments");
            Err(refusal.message.to_string())
        }
        other => panic!("{other:?}"),
    }
}

fn fits(schema: &Value, arguments: &str) -> bool {
    check(schema, arguments).is_ok()
}

#[test]
fn arguments_must_fit_the_schema() {
    let schema = json!({"type": "object", "properties": {"id": {"type": "string", "pattern": "^run-"}, "n": {"type": "integer", "maximum": 5}},
        "required": ["id"], "additionalProperties": false});
    assert!(fits(&schema, r#"{"id":"run-1","n":5}"#));
    assert!(fits(&schema, r#"{"id":"run-1","n":5.0}"#), "5.0 is an integer");
    for bad in [
        r#"{"id":"x"}"#,
        r#"{"id":1}"#,
        r#"{"id":"run-1","n":6}"#,
        r#"{"id":"run-1","n":1.5}"#,
        r#"{"id":"run-1","m":1}"#,
        "{}",
        "",
    ] {
        assert!(!fits(&schema, bad), "{bad}");
    }
}

#[test]
fn no_arguments_are_an_empty_object() {
    assert!(fits(&json!({"type": "object"}), ""));
}

#[test]
fn a_tool_with_no_schema_known_is_denied() {
    assert_eq!(line(&verdict(&read(WANTED), "a", "{}", None)), "deny /validate_arguments");
}

#[test]
fn entries_override_the_document_and_all_tools_adds() {
    let policy = |document: &str, entry: &str, all: &str| {
        read(&format!(
            r#"{{"version":"1","default":"allow"{document},"all_tools":{{{all}}},"tools":{{"a":{{{entry}}}}}}}"#
        ))
    };
    let (on, off) = (r#""validate_arguments":true"#, r#""validate_arguments":false"#);
    let with = |field: &str| format!(",{field}");
    for (document, entry, all, tool, expected) in [
        ("", "", "", "a", "allow"),
        (with(on).as_str(), "", "", "a", "deny /validate_arguments"),
        (with(on).as_str(), "", "", "b", "deny /validate_arguments"),
        (with(on).as_str(), off, "", "a", "allow"),
        (with(off).as_str(), on, "", "a", "deny /tools/a/validate_arguments"),
        ("", on, "", "b", "allow"),
        ("", off, on, "a", "deny /all_tools/validate_arguments"),
        ("", "", on, "b", "deny /all_tools/validate_arguments"),
        (with(on).as_str(), "", off, "a", "deny /validate_arguments"),
        (with(on).as_str(), on, on, "a", "deny /tools/a/validate_arguments"),
    ] {
        assert_eq!(
            line(&verdict(&policy(document, entry, all), tool, "{}", None)),
            expected,
            "{document} {entry} {all} {tool}"
        );
    }
}

#[test]
fn messages_name_places_and_never_values() {
    let schema =
        json!({"properties": {"card": {"properties": {"number": {"type": "string", "maxLength": 4}}}}});
    let message = check(&schema, r#"{"card":{"number":"4111-secret"}}"#).expect_err("denied");
    assert!(message.contains("/card/number") && message.contains("maxLength"), "{message}");
    assert!(!message.contains("4111"), "{message}");
    let message =
        check(&json!({"const": {"a": 1}}), &format!(r#"{{"{}":1}}"#, "k".repeat(5000))).expect_err("denied");
    assert!(message.len() < 300, "{}", message.len());
    let long = "k".repeat(5000);
    let schema = json!({"additionalProperties": {"type": "string"}});
    let message = check(&schema, &format!(r#"{{"{long}":1}}"#)).expect_err("denied");
    assert!(message.len() < 300, "{}", message.len());
}

#[test]
fn what_is_validated_is_what_was_parsed() {
    assert!(fits(
        &json!({"properties": {"n": {"enum": [1, "a", [1, {"b": 2}]]}}}),
        r#"{"n":[1.0,{"b":20e-1}]}"#
    ));
    assert!(!fits(
        &json!({"properties": {"n": {"const": 9_007_199_254_740_992_u64}}}),
        r#"{"n":9007199254740993}"#
    ));
    assert!(!fits(
        &json!({"properties": {"n": {"maximum": 9_007_199_254_740_992_u64}}}),
        r#"{"n":9007199254740993}"#
    ));
    assert!(fits(&json!({"properties": {"n": {"minimum": -3, "multipleOf": 0.5}}}), r#"{"n":-2.5}"#));
    assert!(!fits(
        &json!({"properties": {"n": {"type": "integer"}}}),
        r#"{"n":1.0000000000000000000000000001}"#
    ));
    assert!(!fits(&json!({"properties": {"l": {"uniqueItems": true}}}), r#"{"l":[1,2,1.0]}"#));
    assert!(fits(
        &json!({"properties": {"l": {"uniqueItems": true}}}),
        r#"{"l":[1,"1",true,[1],{"a":1},{"a":2}]}"#
    ));
    assert!(!fits(&json!({"propertyNames": {"maxLength": 2}}), r#"{"abc":1}"#));
    assert!(!fits(&json!({"properties": {"n": {"maximum": 10}}}), r#"{"n":1e308}"#));
    assert!(fits(&json!({"properties": {"s": {"minLength": 2, "maxLength": 2}}}), r#"{"s":"é€"}"#));
}

#[test]
fn dialects() {
    assert!(
        !fits(
            &json!({"prefixItems": [true], "properties": {"l": {"prefixItems": [{"type": "string"}]}}}),
            r#"{"l":[1]}"#
        ),
        "2020-12"
    );
    let draft7 = json!({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"l": {"items": [{"type": "string"}], "additionalItems": false}}});
    assert!(fits(&draft7, r#"{"l":["a"]}"#) && !fits(&draft7, r#"{"l":["a",1]}"#));
    for unknown in ["https://example.com/my-schema", "nonsense"] {
        assert!(ArgumentSchema::compile(&json!({"$schema": unknown})).is_err(), "{unknown}");
    }
}

#[test]
fn references_stay_within_the_schema() {
    let schema = json!({"$defs": {"id": {"$anchor": "id", "type": "string"}, "a/b": {"type": "integer"}},
        "properties": {"x": {"$ref": "#/$defs/id"}, "y": {"$ref": "#id"}, "z": {"$ref": "#/$defs/a~1b"}, "self": {"$ref": "#"}}});
    assert!(fits(&schema, r#"{"x":"a","y":"b","z":1,"self":{"self":{"x":"c"}}}"#));
    assert!(
        !fits(&schema, r#"{"self":{"self":{"x":1}}}"#)
            && !fits(&schema, r#"{"z":"a"}"#)
            && !fits(&schema, r#"{"y":1}"#)
    );
    for reference in [
        "https://example.com/schema.json",
        "other.json",
        "file:///etc/passwd",
        "#/nowhere",
        "#nowhere",
        "#/a%20b",
    ] {
        let refused = ArgumentSchema::compile(&json!({"properties": {"x": {"$ref": reference}}}));
        assert!(matches!(refused, Err(ArgumentSchemaError::Reference(_))), "{reference}");
    }
    for schema in [
        json!({"properties": {"x": {"$id": "https://example.com/x", "$ref": "#"}}}),
        json!({"$dynamicRef": "#a"}),
        json!({"$recursiveRef": "#"}),
        json!({"$defs": {"a": {"$anchor": "x"}, "b": {"$anchor": "x"}}}),
    ] {
        assert!(
            matches!(ArgumentSchema::compile(&schema), Err(ArgumentSchemaError::Reference(_))),
            "{schema}"
        );
    }
    // A property may be called like a keyword.
    assert!(fits(
        &json!({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}}),
        r#"{"$ref":"x","$id":"y"}"#
    ));
    // A reference into a place that holds no schema, which itself refers on: never followed unmetered.
    let hidden = json!({"$ref": "#/x-own", "x-own": {"$ref": "#/x-other"}, "x-other": {"type": "object"}});
    assert!(!fits(&hidden, "{}"));
}

#[test]
fn schemas_that_are_none() {
    for schema in [
        json!({"type": "nonsense"}),
        json!({"pattern": "(?=x)"}),
        json!({"pattern": "("}),
        json!({"properties": 1}),
        json!({"minLength": -1}),
    ] {
        assert!(ArgumentSchema::compile(&schema).is_err(), "{schema}");
    }
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!({"not": deep});
    }
    assert_eq!(ArgumentSchema::compile(&deep).err(), Some(ArgumentSchemaError::TooDeep(64)));
    let large = json!({"description": "x".repeat(300 << 10)});
    assert_eq!(ArgumentSchema::compile(&large).err(), Some(ArgumentSchemaError::TooLarge));
}

/// Schemas of a few hundred bytes that ask for exponential work: were it done, this test would never end.
#[test]
fn hostile_schemas_are_cut_short() {
    let doubling = |inner: &dyn Fn(usize) -> Value| {
        let defs: serde_json::Map<String, Value> = (0..40).map(|i| (format!("d{i}"), inner(i + 1))).collect();
        let mut schema = json!({"$ref": "#/$defs/d0", "$defs": defs});
        schema["$defs"]["d40"] = json!({"type": "object"});
        schema
    };
    let reference = |i: usize| json!({"$ref": format!("#/$defs/d{i}")});
    let in_place = doubling(&|i| json!({"allOf": [reference(i), reference(i)]}));
    let through_children = doubling(
        &|i| json!({"allOf": [{"properties": {"x": reference(i)}}, {"properties": {"x": reference(i)}}]}),
    );
    let recursive =
        json!({"allOf": [{"properties": {"x": {"$ref": "#"}}}, {"properties": {"x": {"$ref": "#"}}}]});
    let unevaluated = {
        let mut schema = json!({"properties": {"x": true}});
        for _ in 0..30 {
            schema = json!({"allOf": [schema], "unevaluatedProperties": false});
        }
        schema
    };
    let nested = format!("{}1{}", "{\"x\":".repeat(50), "}".repeat(50));
    for (name, schema) in [
        ("in place", in_place),
        ("children", through_children),
        ("recursive", recursive),
        ("unevaluated", unevaluated),
    ] {
        let outcome = match ArgumentSchema::compile(&schema) {
            Ok(schema) => line(&verdict(&read(WANTED), "a", &nested, Some(&schema))),
            Err(error) => error.to_string(),
        };
        assert_ne!(outcome, "allow", "{name}");
    }
    let endless =
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}});
    let outcome = ArgumentSchema::compile(&endless)
        .map(|schema| line(&verdict(&read(WANTED), "a", "{}", Some(&schema))));
    assert_ne!(outcome.ok().as_deref(), Some("allow"));
}

#[test]
fn large_arguments_of_a_plain_schema_are_no_problem() {
    let schema = json!({"properties": {"rows": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}}}});
    let rows = vec![r#"{"n":1}"#; 20_000].join(",");
    assert!(fits(&schema, &format!(r#"{{"rows":[{rows}]}}"#)));
    let nested = json!({"properties": {"and": {"items": {"$ref": "#"}}, "or": {"items": {"$ref": "#"}}, "not": {"$ref": "#"}, "eq": {"type": "string"}}});
    let query = format!(r#"{}{{"eq":"x"}}{}"#, r#"{"and":[{"or":["#.repeat(12), "]}]}".repeat(12));
    assert!(fits(&nested, &query));
    assert!(!fits(&nested, &query.replace("\"x\"", "1")));
}
