//! The 107 verdicts of the specification.

use json::Value;
use policy::{Call, Context, Policy, ToolState, Verdict};

const VECTORS: &[u8] = include_bytes!("../data/policy-vectors.json");

#[test]
fn all_of_them() {
    let vectors = json::parse(VECTORS, 64).expect("JSON");
    let cases = vectors.get("cases").and_then(Value::as_array).expect("cases");
    assert_eq!(cases.len(), 107);
    for case in cases {
        let name = case.get("name").and_then(Value::as_str).expect("a name");
        let expected = case.get("expect").expect("an expectation");
        assert_eq!(actual(case), wanted(expected), "{name}");
    }
}

fn text<'a>(value: &'a Value<'_>, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn actual(case: &Value<'_>) -> String {
    let policy = case.get("policy").expect("a policy");
    if policy.is_null() {
        return super::case::line(&Verdict::Deny(policy::no_policy()));
    }
    // The very bytes of the file, so that numbers stay as they are written.
    let policy = Policy::read(policy.span.of(VECTORS)).expect("a good document");
    let call = Call {
        tool: text(case, "/call/tool").expect("a tool"),
        arguments: case.pointer("/call/arguments"),
        context: Context {
            grant_label: text(case, "/grant/label"),
            grant_identity: text(case, "/grant/identity"),
            client_name: text(case, "/client/name"),
            client_version: text(case, "/client/version"),
            server_name: text(case, "/server/name"),
        },
        state: ToolState::default(),
    };
    super::case::line(&policy.judge(&call))
}

fn wanted(expected: &Value<'_>) -> String {
    let words = [text(expected, "/outcome"), text(expected, "/rule")];
    let mut words: Vec<String> = words.into_iter().flatten().map(str::to_owned).collect();
    for charge in expected.get("charges").and_then(Value::as_array).unwrap_or_default() {
        let amount = charge.get("amount_micros").and_then(Value::as_number).and_then(json::Number::to_u64);
        words.push(format!("{}={}", text(charge, "/rule").expect("a rule"), amount.expect("an amount")));
    }
    words.join(" ")
}
