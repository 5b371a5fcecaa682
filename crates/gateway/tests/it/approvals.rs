//! What a person allows is one call: this grant's, of this tool, with these arguments, soon.

use std::time::Duration;

use domain::{ApprovalState, Outcome};
use serde_json::json;
use tokio::task::JoinSet;

use crate::client::call;
use crate::desk::{Desk, all, text, waits_for};
use crate::gate::send;

#[tokio::test]
async fn an_approved_call_goes_on_once() {
    let desk = Desk::new().await;
    let first = desk.call("wipe", all()).await;
    let waiting = waits_for(&first);
    let said = text(&first);
    assert!(said.starts_with(&format!("[PENDING APPROVAL] Wiping: pending approval {waiting}.")), "{said}");
    assert!(said.contains(&format!("{}/approvals/{waiting}", desk.gate.door.base)), "{said}");
    assert_eq!(waits_for(&desk.call("wipe", all()).await), waiting, "one question about one call");
    assert_eq!(desk.forwarded(), 0);
    assert_eq!(desk.approve().await.to_string(), waiting);
    assert_eq!(desk.call("wipe", all()).await.json()["result"]["isError"], json!(null));
    assert_eq!(desk.forwarded(), 1);
    assert_ne!(waits_for(&desk.call("wipe", all()).await), waiting);
    assert_eq!(desk.forwarded(), 1);
    let decisions = desk.gate.decisions().await;
    let outcomes: Vec<_> = decisions.iter().map(|decision| decision.outcome).collect();
    assert_eq!(outcomes, [Outcome::Pending, Outcome::Pending, Outcome::Allow, Outcome::Pending]);
    let used = &desk.question(&waiting).await;
    assert_eq!((used.state, used.asked.1), (ApprovalState::Used, decisions[0].id));
    assert_eq!(used.used.map(|(_, decision)| decision), Some(decisions[2].id));
    assert_eq!(used.sealed_arguments, None);
}

#[tokio::test]
async fn it_is_bound_to_grant_tool_and_arguments() {
    let desk = Desk::new().await;
    desk.call("wipe", json!({ "n": 1, "disk": "a" })).await;
    desk.approve().await;
    for (tool, arguments) in [
        ("wipe", json!({ "n": 2, "disk": "a" })),
        ("wipe", json!({})),
        ("burn", json!({ "n": 1, "disk": "a" })),
    ] {
        waits_for(&desk.call(tool, arguments).await);
    }
    let other = desk.gate.world.grant().await;
    waits_for(&desk.gate.door.call(&other, "wipe", json!({ "n": 1, "disk": "a" })).await);
    assert_eq!(desk.forwarded(), 0);
    // The same value, written otherwise.
    let same = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wipe","arguments":{"disk":"a","n":1.0}}}"#;
    send(desk.gate.post(same)).await;
    assert_eq!(desk.forwarded(), 1);
}

#[tokio::test]
async fn a_refusal_stands_and_says_why() {
    let desk = Desk::new().await;
    desk.call("wipe", all()).await;
    desk.decide(false, Some("not on a Friday")).await;
    for _ in 0..2 {
        let said = text(&desk.call("wipe", all()).await);
        assert_eq!(said, "[POLICY DENIED] a person refused this call: not on a Friday");
    }
    assert_eq!(desk.outcomes().await, [Outcome::Pending, Outcome::Deny, Outcome::Deny]);
    assert_eq!(desk.last().await.rule.as_deref(), Some("/tools/wipe/approve_if/0"));
    // When the question would have run out, it can be asked anew.
    desk.gate.world.clock.advance(Duration::from_secs(601));
    waits_for(&desk.call("wipe", all()).await);
    assert_eq!(desk.forwarded(), 0);
}

#[tokio::test]
async fn neither_question_nor_answer_stands_for_ever() {
    let desk = Desk::new().await;
    let first = waits_for(&desk.call("wipe", all()).await);
    desk.gate.world.clock.advance(Duration::from_mins(10));
    let second = waits_for(&desk.call("wipe", all()).await);
    assert_ne!(first, second);
    assert_eq!(desk.question(&first).await.state, ApprovalState::Expired);
    desk.approve().await;
    desk.gate.world.clock.advance(Duration::from_mins(10));
    waits_for(&desk.call("wipe", all()).await);
    assert_eq!(desk.forwarded(), 0);
    // Where the rule says nothing, it is an hour.
    let plain = waits_for(&desk.call("burn", all()).await);
    assert_eq!(desk.question(&plain).await.lives_seconds, 3_600);
}

#[tokio::test]
async fn of_calls_at_once_one_goes_on() {
    let desk = Desk::new().await;
    desk.call("wipe", all()).await;
    desk.approve().await;
    let mut calls = JoinSet::new();
    for _ in 0..8 {
        let request = desk.gate.post(call("wipe", all()).to_string());
        calls.spawn(async move { send(request).await.json()["result"]["isError"] == json!(true) });
    }
    let denied = calls.join_all().await.into_iter().filter(|denied| *denied).count();
    assert_eq!((denied, desk.forwarded()), (7, 1));
}

#[tokio::test]
async fn a_call_that_does_not_go_on_after_all_leaves_the_approval() {
    let desk = Desk::new().await;
    desk.call("pay", all()).await;
    desk.approve().await;
    let limited = desk.call("pay", all()).await.json();
    assert_eq!(limited["result"]["_meta"]["dev.tollgate/decision"]["limit"]["max"], 0, "{limited}");
    desk.gate.door.state.stopped().await;
    let question = &desk.questions().await[0];
    assert_eq!((question.state, question.used), (ApprovalState::Approved, None));
    assert_eq!(desk.forwarded(), 0);
}

#[tokio::test]
async fn other_rules_stand_for_an_approved_call() {
    let desk = Desk::new().await;
    desk.call("wipe", all()).await;
    desk.approve().await;
    let denies = r#"{ "version": "1", "default": "allow", "tools": { "wipe": { "action": "deny", "reason": "Never" } } }"#;
    desk.gate.world.save_policy(denies).await;
    assert_eq!(text(&desk.call("wipe", all()).await), "[POLICY DENIED] Never");
    assert_eq!(desk.forwarded(), 0);
}

#[tokio::test]
async fn what_nobody_can_be_shown_is_not_asked() {
    let desk = Desk::new().await;
    let said = text(&desk.call("wipe", json!({ "disk": "a".repeat(256 * 1024) })).await);
    assert!(said.contains("256 KiB"), "{said}");
    assert!(desk.questions().await.is_empty());
}

#[tokio::test]
async fn a_grant_asks_a_hundred_questions_at_once() {
    let desk = Desk::new().await;
    for n in 0..100 {
        waits_for(&desk.call("wipe", json!({ "n": n })).await);
    }
    let said = text(&desk.call("wipe", json!({ "n": 100 })).await);
    assert!(said.contains("a hundred calls of this grant wait"), "{said}");
    // Those that wait already are found.
    waits_for(&desk.call("wipe", json!({ "n": 0 })).await);
    assert_eq!(desk.questions().await.len(), 100);
}

#[tokio::test]
async fn what_a_person_said_and_can_not_be_read_lets_nothing_through() {
    let desk = Desk::new().await;
    desk.call("wipe", all()).await;
    desk.approve().await;
    let mut owner = desk.gate.world.db.owner().await;
    sqlx::raw_sql("ALTER TABLE approvals RENAME TO elsewhere").execute(&mut owner).await.unwrap();
    assert_eq!(desk.call("wipe", all()).await.status, 503);
    assert_eq!(desk.forwarded(), 0);
    sqlx::raw_sql("ALTER TABLE elsewhere RENAME TO approvals").execute(&mut owner).await.unwrap();
    desk.call("wipe", all()).await;
    assert_eq!(desk.forwarded(), 1);
}

#[tokio::test]
async fn arguments_are_stored_sealed_and_shown_to_no_log() {
    let desk = Desk::new().await;
    desk.call("wipe", json!({ "disk": "very-secret-disk", "force": true })).await;
    let question = &desk.questions().await[0];
    assert_eq!(question.argument_keys, ["disk", "force"]);
    let sealed = question.sealed_arguments.as_ref().unwrap();
    assert!(!String::from_utf8_lossy(sealed).contains("very-secret-disk"));
    let decision = serde_json::to_string(&desk.last().await.to_bytes().unwrap()).unwrap();
    assert!(!decision.contains("very-secret-disk"));
    assert_eq!(desk.last().await.argument_digest.as_deref(), Some(question.argument_digest.as_str()));
}
