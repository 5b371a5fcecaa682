//! Where tasks are named, and what they are called on the other side.

use domain::Surface::{Elicitation, Sampling};
use domain::Surfaces;
use mcp::tasks::{Names, are_offered, named_by, not_found};
use mcp::{Draft, Era, Outgoing, StateGoing, TaskNames, envelope, upstream_body};
use serde_json::{Value, json};

use crate::{legacy, modern, parsed, request};

fn names(pairs: &[(&str, &str)]) -> Names {
    pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
}

/// What a client's message becomes upstream, of the tasks `<a>` and `<b>`.
fn sent(body: &str) -> Value {
    let message = envelope::read(body.as_bytes()).expect("a message");
    let tasks = names(&[("<a>", "a"), ("<b>", "b")]);
    parsed(&upstream_body(
        body.as_bytes(),
        &message,
        &Outgoing { open: Surfaces::ALL, state: StateGoing::Same, asked: None, tasks: &tasks, trace: None },
    ))
}

fn named(body: &str) -> Vec<String> {
    let message = envelope::read(body.as_bytes()).expect("a message");
    named_by(&message).expect("texts").into_iter().map(str::to_owned).collect()
}

/// What an upstream's message becomes for a client that knows `a` and `b`; nothing if it is about others.
fn received(message: &Value, replies: bool) -> Option<Value> {
    let body = message.to_string();
    let mut draft = Draft::read(body.as_bytes()).expect("readable");
    let known = names(&[("a", "<a>"), ("b", "<b>")]);
    if draft.rename_tasks(&known, replies) == TaskNames::Foreign {
        return None;
    }
    Some(draft.finish().map_or_else(|| message.clone(), |body| parsed(&body)))
}

#[test]
fn a_task_is_for_clients_that_declare_tasks() {
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let body = modern(method, json!({ "taskId": "<a>" }));
        let message = envelope::read(body.as_bytes()).expect("a message");
        let refused = named_by(&message).expect_err("it is not declared");
        assert_eq!((refused.http_status.as_u16(), refused.code), (400, -32021));
        let extensions = json!({ "io.modelcontextprotocol/tasks": {} });
        assert_eq!(refused.data.expect("data")["requiredCapabilities"]["extensions"], extensions);
    }
}

#[test]
fn a_client_names_tasks() {
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let body = legacy(method, &json!({ "taskId": "<a>", "n": 1.0 }));
        assert_eq!(named(&body), ["<a>"]);
        assert_eq!(sent(&body)["params"], json!({ "taskId": "a", "n": 1.0 }));
    }
    let related = json!({ "io.modelcontextprotocol/related-task": { "taskId": "<b>" } });
    for body in [
        json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "_meta": related } }),
        json!({ "jsonrpc": "2.0", "id": 7, "result": { "action": "accept", "_meta": related } }),
    ] {
        let body = body.to_string();
        assert_eq!(named(&body), ["<b>"]);
        assert!(sent(&body).to_string().contains(r#"{"taskId":"b"}"#));
    }
    // Elsewhere the word is the tool's own.
    let call =
        legacy("tools/call", &json!({ "name": "x", "taskId": "<a>", "arguments": { "taskId": "<a>" } }));
    assert_eq!((named(&call).len(), sent(&call)), (0, parsed(call.as_bytes())));
}

#[test]
fn an_id_that_is_no_text_is_refused() {
    for params in [json!({}), json!({ "taskId": 1 }), json!({ "taskId": null })] {
        let body = legacy("tasks/get", &params);
        let message = envelope::read(body.as_bytes()).expect("a message");
        let refused = named_by(&message).expect_err("refused");
        assert_eq!((refused.code, refused.reason), (-32602, "task id"));
    }
    assert_eq!(named(&legacy("tasks/list", &json!({}))), Vec::<String>::new());
}

#[test]
fn one_answer_for_every_task_that_is_not_the_callers() {
    let body = legacy("tasks/get", &json!({ "taskId": "x" }));
    for (era, status) in [(Era::Legacy, 200), (Era::Modern, 400)] {
        let refused = not_found(era, Some(&request(&body)));
        assert_eq!(
            (refused.http_status.as_u16(), refused.code, refused.message.as_str()),
            (status, -32602, "Task not found")
        );
    }
}

#[test]
fn an_upstream_names_tasks_in_its_answers() {
    let answer = |result: Value| json!({ "jsonrpc": "2.0", "id": 1, "result": result });
    for (own, expected) in [
        (
            json!({ "resultType": "task", "taskId": "a", "status": "working" }),
            json!({ "resultType": "task", "taskId": "<a>", "status": "working" }),
        ),
        (json!({ "task": { "taskId": "b", "ttl": 60 } }), json!({ "task": { "taskId": "<b>", "ttl": 60 } })),
        (
            json!({ "tasks": [{ "taskId": "x" }, { "taskId": "a" }, { "taskId": 1 }, { "taskId": "b" }], "nextCursor": "c" }),
            json!({ "tasks": [{ "taskId": "<a>" }, { "taskId": "<b>" }], "nextCursor": "c" }),
        ),
        (
            json!({ "content": [], "_meta": { "io.modelcontextprotocol/related-task": { "taskId": "a" } } }),
            json!({ "content": [], "_meta": { "io.modelcontextprotocol/related-task": { "taskId": "<a>" } } }),
        ),
    ] {
        assert_eq!(received(&answer(own), true), Some(answer(expected)));
    }
    assert_eq!(received(&answer(json!({ "taskId": "x" })), true), None);
    // The result of a plain call may have such a word.
    let plain = answer(json!({ "taskId": "x", "tasks": [{ "taskId": "y" }] }));
    assert_eq!(received(&plain, false), Some(plain.clone()));
}

#[test]
fn an_upstream_names_tasks_by_itself() {
    let note = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params });
    for method in ["notifications/tasks/status", "notifications/tasks"] {
        assert_eq!(
            received(&note(method, json!({ "taskId": "a" })), false),
            Some(note(method, json!({ "taskId": "<a>" })))
        );
        assert_eq!(received(&note(method, json!({ "taskId": "x" })), false), None);
    }
    let acknowledged = |ids| {
        note("notifications/subscriptions/acknowledged", json!({ "notifications": { "taskIds": ids } }))
    };
    assert_eq!(received(&acknowledged(json!(["a", "b"])), false), Some(acknowledged(json!(["<a>", "<b>"]))));
    let related = |id: &str| {
        note(
            "notifications/progress",
            json!({ "_meta": { "io.modelcontextprotocol/related-task": { "taskId": id } } }),
        )
    };
    assert_eq!(
        (received(&related("b"), false), received(&related("x"), false)),
        (Some(related("<b>")), None)
    );
}

#[test]
fn a_client_says_that_it_works_with_tasks() {
    assert!(!are_offered(&request(&modern("tools/call", json!({ "name": "x" })))));
    let offers = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}}}"#;
    assert!(are_offered(&request(offers)));
}

#[test]
fn what_a_modern_message_asks_of_the_client() {
    let asks = |result: Value| {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        let asks = Draft::read(body.as_bytes()).expect("readable").asks();
        asks.map(|asks| asks.into_iter().map(|one| (one.name, one.surface, one.task)).collect::<Vec<_>>())
    };
    let requests = json!({ "a": { "method": "elicitation/create" }, "b": { "method": "sampling/createMessage" }, "c": { "method": "elicitation/create" } });
    let named = |name: &str, surface, task: Option<&str>| (name.to_owned(), surface, task.map(str::to_owned));
    let all =
        |task| vec![named("a", Elicitation, task), named("b", Sampling, task), named("c", Elicitation, task)];
    assert_eq!(asks(json!({ "inputRequests": requests })), Ok(all(None)));
    assert_eq!(asks(json!({ "taskId": "t", "inputRequests": requests })), Ok(all(Some("t"))));
    assert_eq!(asks(json!({ "content": [] })), Ok(vec![]));
    for odd in [json!({ "a": { "method": "tools/call" } }), json!({ "a": {} }), json!([1])] {
        assert!(asks(json!({ "inputRequests": odd })).is_err(), "{odd}");
    }
}
