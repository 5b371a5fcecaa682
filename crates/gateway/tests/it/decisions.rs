//! What the policy says, as the caller hears it, as the log keeps it, and what of it the upstream ever sees: nothing.

use axum::http::StatusCode;
use domain::Outcome;
use serde_json::{Value, json};

use crate::client::{Answer, Door, message};
use crate::world::{ALLOW, Grant, World, plain};

const POLICY: &str = r#"{
  "version": "1", "default": "deny", "hide": ["secret"],
  "tools": {
    "read": {},
    "write": { "action": "deny", "reason": "Writing is for people." },
    "send": { "require": [{ "path": "args.to", "op": "ends_with", "value": "@example.com" }] },
    "pay": { "limits": [{ "counter": "pay", "window": "hour", "max": 2.5, "increment_from": "args.amount" }] },
    "wipe": { "action": "require_approval", "reason": "Wiping" }
  }
}"#;

/// The decision that a denied call's result carries.
fn decision(answer: &Answer) -> Value {
    answer.json()["result"]["_meta"]["dev.tollgate/decision"].clone()
}

fn text(answer: &Answer) -> String {
    let json = answer.json();
    assert_eq!(json["result"]["isError"], true, "{json}");
    json["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

async fn denied(door: &Door, grant: &Grant, tool: &str, arguments: Value) -> Answer {
    let answer = door.call(grant, tool, arguments).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!(answer.json()["id"], 1);
    answer
}

#[tokio::test]
async fn a_denied_call_is_a_result_that_says_why_and_never_reaches_the_upstream() {
    let world = World::new(POLICY, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for (tool, arguments, rule, said) in [
        ("write", json!({}), "/tools/write/action", "[POLICY DENIED] Writing is for people."),
        ("other", json!({}), "(default deny)", ""),
        ("READ", json!({}), "(default deny)", ""),
        (" read", json!({}), "(default deny)", ""),
        ("send", json!({ "to": "eve@evil.example" }), "/tools/send/require/0", ""),
        ("send", json!({}), "/tools/send/require/0", ""),
    ] {
        let answer = denied(&door, &grant, tool, arguments).await;
        assert!(
            text(&answer).starts_with("[POLICY DENIED] ") && text(&answer).starts_with(said),
            "{answer:?}"
        );
        let expected =
            json!({ "rule": rule, "policyVersion": 1, "requestId": answer.header("x-request-id") });
        assert_eq!(decision(&answer), expected, "{tool}");
        assert_eq!(answer.json()["result"].get("resultType"), None);
    }
    assert!(world.upstream.received().is_empty());
    let records = world.records(&[&door]).await;
    assert_eq!((records.decisions.len(), records.closings.len()), (6, 0));
    let (row, _) = &records.decisions[4];
    assert_eq!((row.outcome, row.forwards), (Outcome::Deny, false));
    assert_eq!(row.rule.as_deref(), Some("/tools/send/require/0"));
    assert_eq!((row.tool.as_deref(), row.method.as_deref()), (Some("send"), Some("tools/call")));
    assert_eq!(row.argument_keys, ["to"]);
    assert!(
        !String::from_utf8(row.to_bytes().unwrap()).unwrap().contains("eve@"),
        "an argument value is on record"
    );
    assert_eq!(row.policy.as_ref().map(|policy| (policy.id, policy.version)), Some((world.policy, 1)));
    let noted = row.grant.as_ref().map(|noted| (noted.id, noted.label.as_str(), noted.identity.as_str()));
    assert_eq!(noted, Some((grant.id, "test grant", "ada@example.com")));
}

#[tokio::test]
async fn a_denied_call_of_the_stateless_revision_is_complete() {
    let world = World::new(POLICY, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = door.modern_call(&grant, "write", json!({})).await;
    assert_eq!(answer.json()["result"]["resultType"], "complete");
    assert_eq!(text(&answer), "[POLICY DENIED] Writing is for people.");
    assert!(world.upstream.received().is_empty());
    let records = world.records(&[&door]).await;
    let (row, _) = &records.decisions[0];
    assert_eq!((row.client.name.as_deref(), row.client.version.as_deref()), (Some("modern"), Some("2")));
    assert_eq!(row.protocol_version.as_deref(), Some("2026-07-28"));
}

#[tokio::test]
async fn a_hidden_tool_looks_like_an_unknown_one() {
    let world = World::new(POLICY, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = denied(&door, &grant, "secret", json!({})).await;
    let expected =
        json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "Unknown tool: secret" } });
    assert_eq!(answer.json(), expected);
    // The server was asked what it says of a name that it can't have, and of nothing else.
    let received = world.upstream.received();
    assert!(received.iter().all(|request| !String::from_utf8_lossy(&request.body).contains("secret")));
    let records = world.records(&[&door]).await;
    let (row, _) = &records.decisions[0];
    assert_eq!((row.outcome, row.rule.as_deref()), (Outcome::Hidden, Some("(hidden)")));
}

#[tokio::test]
async fn a_call_that_a_human_must_approve_is_not_forwarded() {
    let world = World::new(POLICY, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let answer = denied(&door, &grant, "wipe", json!({})).await;
    let said = text(&answer);
    assert!(said.starts_with("[PENDING APPROVAL] Wiping: pending approval "), "{said}");
    assert_eq!(decision(&answer)["rule"], "/tools/wipe/action");
    assert!(world.upstream.received().is_empty());
    let records = world.records(&[&door]).await;
    assert_eq!(records.decisions[0].0.outcome, Outcome::Pending);
}

#[tokio::test]
async fn a_used_up_limit_says_how_far_and_until_when() {
    let world = World::new(POLICY, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(
        door.call(&grant, "pay", json!({ "amount": 0.99 })).await.json()["result"]["isError"],
        Value::Null
    );
    assert_eq!(
        door.call(&grant, "pay", json!({ "amount": 1.5 })).await.json()["result"]["isError"],
        Value::Null
    );
    let answer = denied(&door, &grant, "pay", json!({ "amount": 0.02 })).await;
    let limit = &decision(&answer)["limit"];
    assert_eq!((&limit["max"], &limit["used"]), (&json!(2.5), &json!(2.49)), "{answer:?}");
    let resets = chrono::DateTime::parse_from_rfc3339(limit["resetsAt"].as_str().unwrap()).unwrap();
    assert!(resets > world.now(), "{resets}");
    assert_eq!(decision(&answer)["rule"], "/tools/pay/limits/0");
    assert!(text(&answer).starts_with("[POLICY DENIED] "));
    // What was refused took nothing.
    assert_eq!(
        door.call(&grant, "pay", json!({ "amount": 0.01 })).await.json()["result"]["isError"],
        Value::Null
    );
    assert_eq!(world.upstream.received().len(), 3);
    let records = world.records(&[&door]).await;
    let refused: Vec<_> = records.decisions.iter().filter_map(|(_, limit)| *limit).collect();
    assert_eq!(refused.len(), 1);
    assert_eq!((refused[0].used, refused[0].max), (2_490_000, 2_500_000));
    assert_eq!(records.closings.len(), 3);
}

#[tokio::test]
async fn without_a_readable_policy_every_call_is_denied_and_nothing_listed() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    let bare = world.mint(world.tenant, world.server, None, None).await;
    let answer = denied(&door, &bare, "read", json!({})).await;
    assert_eq!(decision(&answer)["rule"], "(no policy)");
    assert_eq!(decision(&answer).get("policyVersion"), None);

    let grant = world.grant().await;
    world.save_policy(r#"{ "version": "1", "default": "allow", "from_the_future": true }"#).await;
    let answer = denied(&door, &grant, "read", json!({})).await;
    assert_eq!(
        (&decision(&answer)["rule"], &decision(&answer)["policyVersion"]),
        (&json!("(invalid policy)"), &json!(2))
    );
    assert!(world.upstream.received().is_empty());
    for grant in [&bare, &grant] {
        let listed = door.post(grant, message(1, "tools/list", json!({})).to_string()).await;
        assert_eq!(listed.json()["result"]["tools"], json!([]));
    }
}

#[tokio::test]
async fn a_shadow_policy_lets_through_and_notes_what_it_would_have_done() {
    let shadow = POLICY.replacen('{', "{ \"mode\": \"shadow\",", 1);
    let world = World::new(&shadow, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for tool in ["write", "secret", "wipe"] {
        assert_eq!(door.call(&grant, tool, json!({})).await.json()["result"]["content"][0]["text"], tool);
    }
    assert_eq!(world.upstream.received().len(), 3);
    let records = world.records(&[&door]).await;
    let noted: Vec<_> = records
        .decisions
        .iter()
        .map(|(row, _)| (row.outcome, row.shadow.as_ref().map(|shadow| shadow.outcome)))
        .collect();
    let expected =
        [Outcome::Deny, Outcome::Hidden, Outcome::Pending].map(|would| (Outcome::Allow, Some(would)));
    assert_eq!(noted, expected);
}

#[tokio::test]
async fn arguments_are_held_against_the_schema_last_seen() {
    let document = r#"{ "version": "1", "default": "allow", "validate_arguments": true }"#;
    let schema = json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] });
    let world = World::with_tools(document, &[("count", schema)], plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(door.call(&grant, "count", json!({ "n": 1 })).await.json()["result"]["isError"], Value::Null);
    for (tool, arguments) in
        [("count", json!({ "n": "1" })), ("count", json!({})), ("unseen", json!({ "n": 1 }))]
    {
        let answer = denied(&door, &grant, tool, arguments).await;
        assert_eq!(decision(&answer)["rule"], "/validate_arguments", "{answer:?}");
    }
    assert_eq!(world.upstream.received().len(), 1);
}

#[tokio::test]
async fn a_policy_may_ask_who_calls() {
    let document = r#"{ "version": "1", "default": "allow", "all_tools":
        { "require": [{ "path": "client.name", "op": "eq", "value": "legacy" }] } }"#;
    let world = World::new(document, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    // Outside of a session nobody said who calls.
    text(&denied(&door, &grant, "read", json!({})).await);
    let session = door.initialize(&grant).await.header("mcp-session-id").to_owned();
    let body = crate::client::call("read", json!({})).to_string();
    let request = door.request(&grant).header("mcp-session-id", session).body(body);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "read");
    let records = world.records(&[&door]).await;
    let (row, _) = records.decisions.last().unwrap();
    assert_eq!(row.client.name.as_deref(), Some("legacy"));
}
