//! What passes.

use mcp::envelope::read;
use mcp::methods::{Rule, refusal, rule};
use mcp::{Era, Surfaces};
use serde_json::{Value, json};

use crate::parsed;

const OPEN: Surfaces = Surfaces { resources: true, prompts: true, completions: true };

/// Method; legacy; modern; with every surface open the last two may change to `Forward`.
const REQUESTS: &[(&str, Rule, Rule, bool)] = &[
    ("initialize", Rule::Handshake, Rule::Refuse, false),
    ("server/discover", Rule::Refuse, Rule::Handshake, false),
    ("ping", Rule::Forward, Rule::Refuse, false),
    ("logging/setLevel", Rule::Forward, Rule::Refuse, false),
    ("tools/list", Rule::Filter, Rule::Filter, false),
    ("tools/call", Rule::Judge, Rule::Judge, false),
    ("resources/list", Rule::Refuse, Rule::Refuse, true),
    ("resources/templates/list", Rule::Refuse, Rule::Refuse, true),
    ("resources/read", Rule::Refuse, Rule::Refuse, true),
    ("prompts/list", Rule::Refuse, Rule::Refuse, true),
    ("prompts/get", Rule::Refuse, Rule::Refuse, true),
    ("completion/complete", Rule::Refuse, Rule::Refuse, true),
    ("tasks/get", Rule::Refuse, Rule::Refuse, false),
    ("tasks/result", Rule::Refuse, Rule::Refuse, false),
    ("tasks/update", Rule::Refuse, Rule::Refuse, false),
    ("tasks/cancel", Rule::Refuse, Rule::Refuse, false),
    ("tasks/list", Rule::Refuse, Rule::Refuse, false),
    ("Tools/Call", Rule::Refuse, Rule::Refuse, false),
    ("tools/call ", Rule::Refuse, Rule::Refuse, false),
    ("tools/call\u{0}", Rule::Refuse, Rule::Refuse, false),
    ("tools/callx", Rule::Refuse, Rule::Refuse, false),
    ("rpc.discover", Rule::Refuse, Rule::Refuse, false),
    ("sampling/createMessage", Rule::Refuse, Rule::Refuse, false),
    ("", Rule::Refuse, Rule::Refuse, false),
];

fn of(era: Era, message: &Value, open: Surfaces) -> Rule {
    let body = message.to_string();
    rule(era, &read(body.as_bytes()).expect("a message"), open)
}

fn request(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method })
}

#[test]
fn requests_follow_the_table() {
    for (method, legacy, modern, opens) in REQUESTS {
        for (era, closed) in [(Era::Legacy, legacy), (Era::Modern, modern)] {
            assert_eq!(of(era, &request(method), Surfaces::default()), *closed, "{method} {era:?}");
            let open = if *opens { &Rule::Forward } else { closed };
            assert_eq!(of(era, &request(method), OPEN), *open, "{method} {era:?}, all open");
        }
    }
    // These are gone in the modern era.
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(of(Era::Legacy, &request(method), OPEN), Rule::Forward);
        assert_eq!(of(Era::Legacy, &request(method), Surfaces::default()), Rule::Refuse);
        assert_eq!(of(Era::Modern, &request(method), OPEN), Rule::Refuse);
    }
}

#[test]
fn notifications_and_responses_are_of_the_legacy_era() {
    let notification = |method: &str| json!({ "jsonrpc": "2.0", "method": method });
    for method in ["initialized", "cancelled", "progress", "roots/list_changed"] {
        let message = notification(&format!("notifications/{method}"));
        assert_eq!(of(Era::Legacy, &message, Surfaces::default()), Rule::Forward, "{method}");
        assert_eq!(of(Era::Modern, &message, OPEN), Rule::Refuse, "{method}");
    }
    for method in
        ["notifications/tasks/status", "notifications/tools/list_changed", "acme/note", "notifications/"]
    {
        assert_eq!(of(Era::Legacy, &notification(method), OPEN), Rule::Refuse, "{method}");
    }
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    assert_eq!(of(Era::Legacy, &response, Surfaces::default()), Rule::Forward);
    assert_eq!(of(Era::Modern, &response, OPEN), Rule::Refuse);
}

#[test]
fn a_subscription_asks_only_for_what_is_let_through() {
    let listen = |filter: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": { "notifications": filter } });
    let closed = |filter| of(Era::Modern, &listen(filter), Surfaces::default());
    assert_eq!(closed(json!({})), Rule::Forward);
    assert_eq!(closed(json!({ "toolsListChanged": true, "promptsListChanged": true })), Rule::Forward);
    assert_eq!(closed(json!({ "resourceSubscriptions": [] })), Rule::Forward);
    assert_eq!(closed(json!({ "resourceSubscriptions": ["file:///a"] })), Rule::Refuse);
    assert_eq!(closed(json!({ "taskIds": ["t"] })), Rule::Refuse);
    assert_eq!(closed(json!(true)), Rule::Refuse);
    let open = |filter| of(Era::Modern, &listen(filter), OPEN);
    assert_eq!(open(json!({ "resourceSubscriptions": ["file:///a"] })), Rule::Forward);
    assert_eq!(open(json!({ "taskIds": [] })), Rule::Refuse);
    assert_eq!(of(Era::Legacy, &listen(json!({})), OPEN), Rule::Refuse);
    assert_eq!(of(Era::Modern, &request("subscriptions/listen"), OPEN), Rule::Refuse);
}

#[test]
fn a_refusal_speaks_the_era() {
    let answer = |era, message: &Value| {
        let body = message.to_string();
        let refused = refusal(era, &read(body.as_bytes()).expect("a message"));
        (refused.http_status.as_u16(), parsed(&refused.body()))
    };
    for (era, status) in [(Era::Legacy, 200), (Era::Modern, 404)] {
        let (found, body) = answer(era, &request("acme/thing"));
        assert_eq!((found, &body["error"]["code"], &body["id"]), (status, &json!(-32601), &json!(1)));
    }
    for (era, status) in [(Era::Legacy, 400), (Era::Modern, 404)] {
        let (found, body) = answer(era, &json!({ "jsonrpc": "2.0", "method": "notifications/x" }));
        assert_eq!((found, &body["error"]["code"], &body["id"]), (status, &json!(-32601), &Value::Null));
    }
    let (found, body) = answer(Era::Modern, &request("subscriptions/listen"));
    assert_eq!((found, &body["error"]["code"], &body["id"]), (400, &json!(-32602), &json!(1)));
    let (found, body) = answer(Era::Modern, &json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    assert_eq!((found, &body["error"]["code"]), (400, &json!(-32600)));
}
