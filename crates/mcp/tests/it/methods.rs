//! What passes.

use domain::Surface;
use mcp::Era;
use mcp::envelope::read;
use mcp::methods::{Asked, Rule, TaskMethod, asked, asking, may_be_custom, refusal, rule};
use serde_json::{Value, json};

use crate::parsed;

/// Method; legacy; modern.
const REQUESTS: &[(&str, Rule, Rule)] = &[
    ("initialize", Rule::Handshake, Rule::Refuse),
    ("server/discover", Rule::Refuse, Rule::Handshake),
    ("ping", Rule::Forward, Rule::Refuse),
    ("logging/setLevel", Rule::Forward, Rule::Refuse),
    ("tools/list", Rule::Filter, Rule::Filter),
    ("tools/call", Rule::Judge, Rule::Judge),
    ("resources/list", RESOURCES, RESOURCES),
    ("resources/templates/list", RESOURCES, RESOURCES),
    ("resources/read", RESOURCES, RESOURCES),
    ("resources/subscribe", RESOURCES, Rule::Refuse),
    ("resources/unsubscribe", RESOURCES, Rule::Refuse),
    ("prompts/list", PROMPTS, PROMPTS),
    ("prompts/get", PROMPTS, PROMPTS),
    ("completion/complete", COMPLETION, COMPLETION),
    ("subscriptions/listen", Rule::Refuse, Rule::Listen),
    ("tasks/get", Rule::Task(TaskMethod::Get), Rule::Task(TaskMethod::Get)),
    ("tasks/result", Rule::Task(TaskMethod::Result), Rule::Refuse),
    ("tasks/update", Rule::Refuse, Rule::Task(TaskMethod::Update)),
    ("tasks/cancel", Rule::Task(TaskMethod::Cancel), Rule::Task(TaskMethod::Cancel)),
    ("tasks/list", Rule::Task(TaskMethod::List), Rule::Refuse),
    ("Tools/Call", Rule::Refuse, Rule::Refuse),
    ("tools/call ", Rule::Refuse, Rule::Refuse),
    ("tools/call\u{0}", Rule::Refuse, Rule::Refuse),
    ("tools/callx", Rule::Refuse, Rule::Refuse),
    ("rpc.discover", Rule::Refuse, Rule::Refuse),
    ("sampling/createMessage", Rule::Refuse, Rule::Refuse),
    ("", Rule::Refuse, Rule::Refuse),
];
const RESOURCES: Rule = Rule::Surface(Surface::Resources);
const PROMPTS: Rule = Rule::Surface(Surface::Prompts);
const COMPLETION: Rule = Rule::Surface(Surface::Completion);

fn of(era: Era, message: &Value, custom: &[&str]) -> Rule {
    let body = message.to_string();
    let custom: Vec<String> = custom.iter().map(|&method| method.to_owned()).collect();
    rule(era, &read(body.as_bytes()).expect("a message"), &custom)
}

fn request(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method })
}

#[test]
fn requests_follow_the_table() {
    for (method, legacy, modern) in REQUESTS {
        for (era, expected) in [(Era::Legacy, legacy), (Era::Modern, modern)] {
            assert_eq!(of(era, &request(method), &[]), *expected, "{method} {era:?}");
            // Listing a method of the protocol opens nothing.
            assert_eq!(of(era, &request(method), &[method]), *expected, "{method} {era:?}, listed");
        }
    }
}

#[test]
fn notifications_and_responses_are_of_the_legacy_era() {
    let notification = |method: &str| json!({ "jsonrpc": "2.0", "method": method });
    for method in ["initialized", "cancelled", "progress", "roots/list_changed"] {
        let message = notification(&format!("notifications/{method}"));
        assert_eq!(of(Era::Legacy, &message, &[]), Rule::Forward, "{method}");
        assert_eq!(of(Era::Modern, &message, &[]), Rule::Refuse, "{method}");
    }
    for method in
        ["notifications/tasks/status", "notifications/tools/list_changed", "acme/note", "notifications/"]
    {
        assert_eq!(of(Era::Legacy, &notification(method), &[]), Rule::Refuse, "{method}");
    }
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} });
    assert_eq!(of(Era::Legacy, &response, &[]), Rule::Forward);
    assert_eq!(of(Era::Modern, &response, &[]), Rule::Refuse);
}

#[test]
fn a_method_that_the_settings_list_passes() {
    for era in [Era::Legacy, Era::Modern] {
        assert_eq!(of(era, &request("acme/thing"), &["acme/other", "acme/thing"]), Rule::Custom);
        assert_eq!(of(era, &request("acme/thing"), &["acme/*", "ACME/thing"]), Rule::Refuse);
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/acme/note" });
        assert_eq!(of(era, &note, &["notifications/acme/note"]), Rule::Custom);
    }
}

#[test]
fn names_of_the_protocol_can_not_be_listed() {
    for method in ["acme/thing", "com.example.search", "notifications/acme/x", "skills/list", "$x"] {
        assert!(may_be_custom(method), "{method}");
    }
    let known = REQUESTS.iter().map(|(method, ..)| *method);
    for method in known.chain([
        "tools/anything",
        "TASKS/get",
        "notifications/tasks/status",
        "notifications/",
        "notifications/initialized",
        "NOTIFICATIONS/Cancelled",
        "roots/list",
        "elicitation/create",
        "a b",
        "é",
        "a\n",
        &"x".repeat(129),
    ]) {
        assert!(!may_be_custom(method), "{method}");
    }
}

#[test]
fn what_a_server_asks_is_of_a_part_of_the_protocol() {
    for surface in [Surface::Sampling, Surface::Elicitation, Surface::Roots] {
        let method = asking(surface).expect("a method");
        assert_eq!(asked(method), Asked::Surface(surface));
    }
    assert_eq!((asked("ping"), asking(Surface::Prompts)), (Asked::Nothing, None));
    for method in ["tasks/get", "Sampling/createMessage", "tools/call", ""] {
        assert_eq!(asked(method), Asked::Unknown, "{method}");
    }
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
    let (found, body) = answer(Era::Modern, &json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    assert_eq!((found, &body["error"]["code"]), (400, &json!(-32600)));
}
