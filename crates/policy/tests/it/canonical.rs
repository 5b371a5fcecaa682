//! The canonical form: shorthand expanded, defaults written out, numbers exact.

use super::case::read;

fn canonical(document: &str) -> serde_json::Value {
    serde_json::from_str(&read(document).canonical()).expect("JSON")
}

#[test]
fn shorthand_is_expanded() {
    let document = r#"{"version":"1","default":"deny","tools":{
        "d":{"action":"deny","reason":"no","deny_if":[{"conditions":[]}]},
        "p":{"action":"require_approval","reason":"ask"},
        "h*":{"action":"hide"},
        "l":{"action":"allow","rate_limit":"10/minute","limits":[{"counter":"c","window":5,"max":1,"increment_from":"args.n","key":"args.k"}]},
        "r":{"require":[{"path":"args.x","op":"exists","value":true}]}
    },"hide":["x","h*"]}"#;
    assert_eq!(
        canonical(document),
        serde_json::json!({
            "version": "1", "default": "deny", "mode": "enforce", "validate_arguments": false,
            "hide": ["h*", "x"],
            "all_tools": {},
            "tools": {
                "d": {"deny_if": [{"conditions": [], "on_deny": "no"}, {"conditions": []}]},
                "p": {"approve_if": [{"conditions": [], "message": "ask"}]},
                "h*": {},
                "l": {"limits": [
                    {"counter": "c", "window": 5, "max": 1, "scope": "grant", "key": "args.k", "increment_from": "args.n",
                     "align": "sliding", "refund_on_error": false},
                    {"counter": "l_rate", "window": "minute", "max": 10, "scope": "grant", "increment": 1,
                     "align": "sliding", "refund_on_error": false},
                ]},
                "r": {"require": [{"path": "args.x", "op": "exists", "value": true}]},
            },
        })
    );
}

#[test]
fn what_is_written_is_kept() {
    let document = r#"{"version":"1","description":"For people","default":"allow","mode":"shadow","validate_arguments":true,
        "all_tools":{"mode":"enforce","validate_arguments":false},
        "tools":{"a":{"mode":"shadow","approve_if":[{"conditions":[{"not":{"any":[{"path":"args[\"x y\"]","op":"neq","value":{"b":[1],"a":null}}]}}],"expires_in":"2h"}],
        "limits":[{"counter":"c","window":"month","max":0.5,"scope":"organisation","align":"calendar","increment":2.25,"refund_on_error":true,"on_deny":"stop"}]}}}"#;
    assert_eq!(
        canonical(document),
        serde_json::json!({
            "version": "1", "description": "For people", "default": "allow", "mode": "shadow", "validate_arguments": true,
            "all_tools": {"mode": "enforce", "validate_arguments": false},
            "tools": {"a": {"mode": "shadow",
                "approve_if": [{"conditions": [{"not": {"any": [{"path": "args[\"x y\"]", "op": "neq", "value": {"a": null, "b": [1]}}]}}], "expires_in": "7200s"}],
                "limits": [{"counter": "c", "window": "month", "max": 0.5, "scope": "organisation", "increment": 2.25,
                    "align": "calendar", "refund_on_error": true, "on_deny": "stop"}]}},
        })
    );
}

#[test]
fn numbers_are_never_rounded() {
    let long = "0.1234567890123456789012345678901234567890";
    let document = format!(
        r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{{"path":"args.x","op":"lt","value":{long}}}]}}}}}}"#
    );
    assert!(read(&document).canonical().contains(&long[..long.len() - 1]));
}

/// The deepest value that a document can hold, in a requirement without `conditions`.
#[test]
fn it_nests_no_deeper_than_what_was_read() {
    let (open, close) = ("[".repeat(27), "]".repeat(27));
    let document = format!(
        r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{{"path":"args.x","op":"eq","value":{open}{close}}}]}}}}}}"#
    );
    let once = read(&document).canonical();
    assert_eq!(read(&once).canonical(), once);
}

#[test]
fn every_operator_survives() {
    for (op, value) in [
        ("eq", r#""é\n""#),
        ("neq", "1.5"),
        ("in", r#"["a",1]"#),
        ("not_in", "[]"),
        ("lt", "1"),
        ("lte", "1"),
        ("gt", "1"),
        ("gte", "1"),
        ("regex", r#""^a\\.b$""#),
        ("not_regex", r#""x""#),
        ("contains", "[1]"),
        ("not_contains", "{}"),
        ("starts_with", r#""a""#),
        ("ends_with", r#""""#),
        ("length_lte", "3"),
        ("length_gte", "0"),
        ("url_host_in", r#"["[::1]","10.0.0.1","*.b.test","a.test"]"#),
        ("exists", "false"),
    ] {
        let document = format!(
            r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{{"path":"args.x","op":"{op}","value":{value}}}]}}}}}}"#
        );
        let once = read(&document).canonical();
        assert_eq!(read(&once).canonical(), once, "{op}");
        let test = canonical(&document)["tools"]["a"]["require"][0].clone();
        assert_eq!(test["op"], op);
        let mut elements = [test["value"].clone(), serde_json::from_str(value).expect("JSON")];
        for list in elements.iter_mut().filter_map(|value| value.as_array_mut()) {
            list.sort_by_key(ToString::to_string);
        }
        assert_eq!(elements[0], elements[1], "{op}");
    }
}
