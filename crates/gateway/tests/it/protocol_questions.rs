//! Sampling, elicitation and roots: what a server asks of the client passes by the policy, and what does not the gateway
//! answers itself.

use axum::body::Body;
use axum::http::Response;
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events};

use crate::gate::{Gate, send};
use crate::world::plain;

const POLICY: &str =
    r#"{ "version": "1", "default": "allow", "methods": { "sampling": "deny", "roots": "deny" } }"#;

fn asks(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": format!("q {method}"), "method": method, "params": {} })
}

fn result() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } })
}

/// Opens sessions, and answers calls by these messages.
fn asking(messages: &[Value]) -> impl Fn(&Received) -> Response<Body> + Send + Sync + use<> {
    let stream: String = messages.iter().map(event).collect();
    move |request| match request.rpc_method().as_str() {
        "tools/call" => events(stream.clone()),
        _ => plain(request),
    }
}

#[tokio::test]
async fn what_is_open_passes_and_what_is_closed_is_answered_for_the_client() {
    let messages = [
        asks("elicitation/create"),
        asks("sampling/createMessage"),
        asks("ping"),
        asks("roots/list"),
        result(),
    ];
    let gate = Gate::under(POLICY, asking(&messages)).await;
    let session = gate.session().await;
    let request = gate.legacy("tools/call", json!({ "name": "open" })).header("mcp-session-id", session);
    let text = send(request).await.text;
    let passed: String = [&messages[0], &messages[2], &messages[4]].into_iter().map(event).collect();
    assert_eq!(text, passed);
    // Initialize, call, and two answers of the gateway.
    let received = gate.upstream().received_at_least(4).await;
    let mut refused: Vec<_> = received[2..]
        .iter()
        .map(|answer| {
            assert_eq!(answer.header("mcp-session-id"), "upstream-session");
            assert_eq!(answer.header("mcp-protocol-version"), "2025-11-25");
            assert_eq!(answer.header("x-upstream-key"), "sealed-and-opened");
            let answer = answer.json();
            assert_eq!(answer["error"]["code"], -32601, "{answer}");
            answer["id"].as_str().unwrap().to_owned()
        })
        .collect();
    refused.sort();
    assert_eq!(refused, ["q roots/list", "q sampling/createMessage"]);
    let rows: Vec<_> = gate
        .decisions()
        .await
        .into_iter()
        .map(|row| (row.method.unwrap(), row.tool, row.outcome, row.rule))
        .collect();
    let tool = || Some("open".to_owned());
    assert_eq!(
        rows[2..],
        [
            ("elicitation/create".to_owned(), tool(), Outcome::Allow, None),
            (
                "sampling/createMessage".to_owned(),
                tool(),
                Outcome::Deny,
                Some("/methods/sampling".to_owned())
            ),
            ("roots/list".to_owned(), tool(), Outcome::Deny, Some("/methods/roots".to_owned())),
        ]
    );
}

#[tokio::test]
async fn what_nobody_knows_is_not_shown_to_the_client() {
    let gate = Gate::under(POLICY, asking(&[asks("tasks/get"), asks("acme/exfiltrate"), result()])).await;
    let session = gate.session().await;
    let request = gate.legacy("tools/call", json!({ "name": "open" })).header("mcp-session-id", session);
    assert_eq!(send(request).await.text, event(&result()));
    gate.upstream().received_at_least(4).await;
    let rows = gate.decisions().await;
    assert!(rows[2..].iter().all(|row| row.rule.as_deref() == Some("(unknown method)")));
}

#[tokio::test]
async fn of_an_array_what_may_not_pass_is_taken_out() {
    let array = json!([asks("sampling/createMessage"), result(), asks("ping")]);
    let gate = Gate::under(POLICY, asking(&[array])).await;
    let text = send(gate.legacy("tools/call", json!({ "name": "open" }))).await.text;
    assert_eq!(text, event(&json!([result(), asks("ping")])));
}

#[tokio::test]
async fn a_policy_that_changes_under_a_call_is_obeyed_by_what_is_asked_in_it() {
    let (sender, stream) = upstream::stream();
    let world = crate::world::World::new(r#"{ "version": "1", "default": "allow" }"#, move |request| {
        match request.rpc_method().as_str() {
            "tools/call" => events(stream.clone()),
            _ => plain(request),
        }
    })
    .await;
    let door = world.door_with(|settings| settings.recheck = std::time::Duration::from_millis(50)).await;
    let grant = world.grant().await;
    sender.send(": here\n\n");
    let request = door.request(&grant).body(crate::client::call("open", json!({})).to_string());
    let mut response = request.send().await.unwrap();
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b": here"));
    world.save_policy(POLICY).await;
    // Until the gateway has seen it, it asks; from then on it answers.
    let mut asked = 0;
    loop {
        sender.send(event(&asks("sampling/createMessage")));
        sender.send(": mark\n\n");
        let mut text = String::new();
        while !text.contains(": mark") {
            text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
        }
        if !text.contains("sampling") {
            break;
        }
        asked += 1;
        assert!(asked < 100_000, "the policy was never obeyed");
    }
    sender.send(event(&result()));
}

/// A modern answer that asks for these.
fn required(methods: &[&str]) -> Value {
    let requests: serde_json::Map<_, _> = methods
        .iter()
        .map(|method| ((*method).to_owned(), json!({ "method": method, "params": {} })))
        .collect();
    json!({ "jsonrpc": "2.0", "id": 1, "result": {
        "resultType": "input_required", "inputRequests": requests, "requestState": "inner",
    } })
}

#[tokio::test]
async fn a_round_that_asks_for_what_is_closed_does_not_reach_the_client() {
    for streams in [false, true] {
        let asked = required(&["elicitation/create", "sampling/createMessage"]);
        let answer = move |_: &Received| if streams { events(event(&asked)) } else { upstream::json(&asked) };
        let gate = Gate::under(POLICY, answer).await;
        let call = send(gate.modern("tools/call", json!({ "name": "open" }))).await.text;
        let call: Value =
            serde_json::from_str(call.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&call))
                .unwrap();
        assert_eq!(
            (&call["result"]["isError"], &call["result"]["resultType"]),
            (&json!(true), &json!("complete"))
        );
        assert_eq!(call["result"]["_meta"]["dev.tollgate/decision"]["rule"], "/methods/sampling");
        assert!(call["result"]["content"][0]["text"].as_str().unwrap().contains("sampling/createMessage"));
        let prompt = send(gate.modern("prompts/get", json!({ "name": "p" }))).await.text;
        assert!(prompt.contains("-32602") && !prompt.contains("inputRequests"), "{prompt}");
        let rows = gate.decisions().await;
        let rules: Vec<_> = rows.iter().filter_map(|row| row.rule.as_deref()).collect();
        assert_eq!(rules, ["/methods/sampling", "/methods/sampling"]);
    }
}

#[tokio::test]
async fn a_round_that_asks_for_what_is_open_passes() {
    let gate = Gate::under(POLICY, |_| upstream::json(&required(&["elicitation/create"]))).await;
    let answer = send(gate.modern("tools/call", json!({ "name": "open" }))).await.json();
    assert_eq!(
        answer["result"]["inputRequests"],
        required(&["elicitation/create"])["result"]["inputRequests"]
    );
    let gate = Gate::under(POLICY, |_| upstream::json(&required(&["acme/ask"]))).await;
    let answer = send(gate.modern("tools/call", json!({ "name": "open" }))).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (502, -32603), "what nobody knows is invalid");
}

#[tokio::test]
async fn an_address_that_is_not_of_the_web_does_not_reach_the_person() {
    let params = |url: &str| json!({ "mode": "url", "elicitationId": "e", "message": "log in", "url": url });
    let forms = |url: &str| {
        let mut asked = asks("elicitation/create");
        asked["params"] = params(url);
        let round = json!({ "resultType": "input_required", "inputRequests": {
            "a": { "method": "elicitation/create", "params": params(url) } } });
        [
            ("legacy", asked),
            (
                "legacy",
                json!({ "jsonrpc": "2.0", "id": 1, "error": {
                "code": -32042, "message": "visit", "data": { "elicitations": [params(url)] } } }),
            ),
            ("modern", json!({ "jsonrpc": "2.0", "id": 1, "result": round })),
        ]
    };
    let open = r#"{ "version": "1", "default": "allow" }"#;
    for url in ["javascript:alert(1)", "file:///etc/passwd", "vscode://evil/run", "//evil.example/", ""] {
        for (era, message) in forms(url) {
            let gate = Gate::under(open, asking(&[message, result()])).await;
            let call = json!({ "name": "open" });
            let request = if era == "modern" {
                gate.modern("tools/call", call)
            } else {
                gate.legacy("tools/call", call)
            };
            let answer = send(request).await.text;
            assert!(!answer.contains("log in") && answer.contains("-32603"), "{era} {url}: {answer}");
        }
    }
    for url in ["https://auth.example/start", "HTTP://127.0.0.1:9/"] {
        for (era, message) in forms(url) {
            let gate = Gate::under(open, asking(&[message, result()])).await;
            let call = json!({ "name": "open" });
            let request = if era == "modern" {
                gate.modern("tools/call", call)
            } else {
                let session = gate.session().await;
                gate.legacy("tools/call", call).header("mcp-session-id", session)
            };
            assert!(send(request).await.text.contains(url), "{era} {url}");
        }
    }
}
