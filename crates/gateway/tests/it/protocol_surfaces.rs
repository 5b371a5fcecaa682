//! Resources, prompts and completion: open or closed by the policy, in both eras, and written down.

use axum::body::Body;
use axum::http::Response;
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received};

use crate::client::Answer;
use crate::gate::{Gate, send};
use crate::world::plain;

const METHODS: [(&str, &str); 6] = [
    ("resources/list", "resources"),
    ("resources/templates/list", "resources"),
    ("resources/read", "resources"),
    ("prompts/list", "prompts"),
    ("prompts/get", "prompts"),
    ("completion/complete", "completion"),
];

fn params(method: &str) -> Value {
    match method {
        "resources/read" => json!({ "uri": "file:///a" }),
        "prompts/get" => json!({ "name": "p", "arguments": { "a": "b" } }),
        "completion/complete" => {
            json!({ "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": "" } })
        }
        _ => json!({}),
    }
}

/// Answers everything with what the method was.
fn echo(request: &Received) -> Response<Body> {
    let message = request.json();
    upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": {
        "echo": message["method"], "resultType": "complete", "ttlMs": 3_600_000, "cacheScope": "public",
    } }))
}

async fn ask(gate: &Gate, method: &str, modern: bool) -> Answer {
    if !modern {
        return send(gate.legacy(method, params(method))).await;
    }
    let request = gate.modern(method, params(method));
    send(if method == "resources/read" { request.header("mcp-name", "file:///a") } else { request }).await
}

#[tokio::test]
async fn a_policy_opens_and_closes_each() {
    for (closed, default) in
        [("resources", "allow"), ("prompts", "allow"), ("completion", "allow"), ("", "deny")]
    {
        let methods = if closed.is_empty() { json!({}) } else { json!({ closed: "deny" }) };
        let policy = json!({ "version": "1", "default": default, "methods": methods }).to_string();
        let gate = Gate::under(&policy, echo).await;
        for modern in [false, true] {
            for (method, surface) in METHODS {
                let answer = ask(&gate, method, modern).await;
                if surface == closed || default == "deny" {
                    let status = if modern { 404 } else { 200 };
                    assert_eq!((answer.status.as_u16(), answer.code()), (status, -32601), "{method}");
                    let rule =
                        if default == "deny" { "(default deny)" } else { &format!("/methods/{surface}") };
                    let error = &answer.json()["error"];
                    assert_eq!(error["data"]["dev.tollgate/decision"]["rule"], *rule);
                    assert!(error["message"].as_str().unwrap().starts_with("[POLICY DENIED]"));
                    assert_eq!(answer.json()["id"], 1);
                } else {
                    assert_eq!(answer.json()["result"]["echo"], method);
                }
            }
        }
        let rows = gate.decisions().await;
        assert_eq!(rows.len(), 12, "each is written down");
        for row in rows {
            let method = row.method.as_deref().unwrap();
            let (_, surface) = METHODS.into_iter().find(|(name, _)| *name == method).unwrap();
            let refused = surface == closed || default == "deny";
            assert_eq!(row.outcome, if refused { Outcome::Deny } else { Outcome::Allow }, "{method}");
            assert_eq!(row.rule.is_some(), refused, "{method}");
        }
    }
}

#[tokio::test]
async fn what_the_policy_opens_is_this_callers_own() {
    let gate =
        Gate::under(r#"{ "version": "1", "default": "deny", "methods": { "resources": "allow" } }"#, echo)
            .await;
    let answer = ask(&gate, "resources/list", true).await.json();
    assert_eq!(
        (&answer["result"]["cacheScope"], &answer["result"]["ttlMs"]),
        (&json!("private"), &json!(60_000))
    );
    assert_eq!(ask(&gate, "prompts/list", true).await.code(), -32601);
}

#[tokio::test]
async fn a_grant_without_a_policy_gets_none_of_it() {
    let gate = Gate::new(echo).await;
    let bare = gate.world.mint(gate.world.tenant, gate.world.server, None, None).await;
    for (method, _) in METHODS {
        let body = crate::client::message(1, method, params(method)).to_string();
        let answer = gate.door.post(&bare, body).await;
        assert_eq!(
            answer.json()["error"]["data"]["dev.tollgate/decision"]["rule"],
            "(no policy)",
            "{method}"
        );
    }
    assert!(gate.upstream().received().is_empty());
}

#[tokio::test]
async fn capabilities_say_what_is_open() {
    let offers = |request: &Received| {
        let capabilities = json!({ "tools": {}, "resources": {}, "prompts": {}, "completions": {}, "tasks": {}, "future": {} });
        let result = match request.rpc_method().as_str() {
            "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities }),
            _ => {
                json!({ "supportedVersions": ["2026-07-28"], "capabilities": capabilities, "resultType": "complete", "ttlMs": 0, "cacheScope": "private" })
            }
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result }))
    };
    let gate =
        Gate::under(r#"{ "version": "1", "default": "allow", "methods": { "resources": "deny" } }"#, offers)
            .await;
    let bare = gate.world.mint(gate.world.tenant, gate.world.server, None, None).await;
    for (grant, expected) in [
        (&gate.grant, json!({ "tools": {}, "prompts": {}, "completions": {}, "tasks": {} })),
        (&bare, json!({ "tools": {}, "tasks": {} })),
    ] {
        let initialized = gate.door.initialize(grant).await.json();
        assert_eq!(initialized["result"]["capabilities"], expected);
        let discovered = send(gate.door.modern(grant, "server/discover", json!({}))).await.json();
        assert_eq!(discovered["result"]["capabilities"], expected);
    }
}

#[tokio::test]
async fn a_client_offers_what_the_server_may_ask() {
    let gate = Gate::under(r#"{ "version": "1", "default": "deny", "tools": { "*": {} }, "methods": { "elicitation": "allow" } }"#, plain).await;
    let capabilities =
        json!({ "sampling": {}, "elicitation": {}, "roots": {}, "tasks": {}, "experimental": {} });
    let body = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": { "name": "c", "version": "1" } });
    send(gate.legacy("initialize", body)).await;
    let offered = gate.upstream().received()[0].json()["params"]["capabilities"].clone();
    assert_eq!(offered, json!({ "elicitation": {}, "experimental": {} }));
}

#[tokio::test]
async fn what_is_closed_is_not_listened_for() {
    let gate =
        Gate::under(r#"{ "version": "1", "default": "allow", "methods": { "resources": "deny" } }"#, |_| {
            upstream::events("")
        })
        .await;
    let filter = json!({ "toolsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": ["file:///a"] });
    send(gate.modern("subscriptions/listen", json!({ "notifications": filter }))).await;
    assert_eq!(
        gate.upstream().received()[0].json()["params"]["notifications"],
        json!({ "toolsListChanged": true })
    );
}

#[tokio::test]
async fn a_prompt_in_several_rounds_has_its_state_sealed() {
    let gate = Gate::new(|request| {
        let state = request.json()["params"]["requestState"].clone();
        let result = json!({ "resultType": "input_required", "requestState": "inner", "seen": state });
        upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    })
    .await;
    let round = async |method: &str, params: Value, state: &Value| {
        let mut params = params;
        if !state.is_null() {
            params["requestState"] = state.clone();
        }
        send(gate.modern(method, params)).await
    };
    let prompt = json!({ "name": "p", "arguments": { "a": "b" } });
    let first = round("prompts/get", prompt.clone(), &Value::Null).await.json();
    let state = &first["result"]["requestState"];
    assert_ne!(*state, "inner");
    assert_eq!(round("prompts/get", prompt, state).await.json()["result"]["seen"], "inner");
    for (method, other) in [
        ("prompts/get", json!({ "name": "q", "arguments": { "a": "b" } })),
        ("prompts/get", json!({ "name": "p", "arguments": { "a": "c" } })),
        ("tools/call", json!({ "name": "p", "arguments": { "a": "b" } })),
    ] {
        assert_eq!(round(method, other, state).await.code(), -32602);
    }
}
