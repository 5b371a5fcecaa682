//! What still works while Postgres, Redis or both are away, and what is on record of it.

use axum::http::StatusCode;
use domain::Outcome;
use serde_json::{Value, json};
use sqlx::Row;
use testkit::Wire;

use crate::client::{Answer, Door};
use crate::desk::{self, Desk};
use crate::gate::Gate;
use crate::world::{ALLOW, Grant, Plan, World, plain};

const LIMITED: &str = r#"{ "version": "1", "default": "allow", "tools": {
    "pay":   { "limits": [{ "counter": "c", "window": "hour", "max": 100 }] },
    "write": { "action": "deny", "reason": "Writing is for people." } } }"#;

fn allowed(answer: &Answer) -> bool {
    answer.status == StatusCode::OK && answer.json()["result"]["isError"] == Value::Null
}

/// A gateway that reaches Postgres and Redis over wires, and has made one call.
async fn wired(document: &str) -> (World, Door, Grant, Wire, Wire) {
    let world = World::new(document, plain).await;
    let (postgres, redis) = (Wire::to(&world.db.url).await, Wire::to(&world.redis.url).await);
    let plan = Plan { postgres: postgres.url().to_owned(), redis: redis.url().to_owned(), ..world.plan() };
    let door = world.open(plan, |_| {}).await;
    let grant = world.grant().await;
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    (world, door, grant, postgres, redis)
}

/// Rows in the log itself: id, outcome, rule, and whether their end is known.
async fn rows(world: &World) -> Vec<(String, String, Option<String>, String)> {
    let mut owner = world.db.owner().await;
    let rows =
        sqlx::query("SELECT id::text, outcome, rule, completion FROM decisions ORDER BY decided_at, id");
    let rows = rows.fetch_all(&mut owner).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect()
}

#[tokio::test]
async fn while_redis_is_away_calls_are_judged_by_postgres_and_written_there_first() {
    let (world, door, grant, _postgres, redis) = wired(LIMITED).await;
    redis.cut();
    let read = door.call(&grant, "read", json!({})).await;
    let pay = door.call(&grant, "pay", json!({})).await;
    let write = door.call(&grant, "write", json!({})).await;
    assert_eq!([&read, &pay, &write].map(allowed), [true, false, false]);
    let decision = &pay.json()["result"]["_meta"]["dev.tollgate/decision"];
    assert_eq!(decision["rule"], "(limits unavailable)");
    assert_eq!(world.upstream.received().len(), 2);

    door.state.stopped().await;
    let rows = rows(&world).await;
    assert_eq!(rows.len(), 3);
    for (answer, expected) in [
        (&read, ("allow", None, "closed")),
        (&pay, ("deny", Some("(limits unavailable)"), "closed")),
        (&write, ("deny", Some("/tools/write/action"), "closed")),
    ] {
        let row = rows.iter().find(|row| row.0 == answer.header("x-request-id")).unwrap();
        assert_eq!((row.1.as_str(), row.2.as_deref(), row.3.as_str()), expected);
    }
}

#[tokio::test]
async fn while_redis_is_away_people_can_be_asked_and_answer() {
    let (world, door, grant, _postgres, redis) = wired(desk::POLICY).await;
    redis.cut();
    let desk = Desk { gate: Gate { world, door, grant } };
    desk::waits_for(&desk.call("wipe", desk::all()).await);
    desk.approve().await;
    assert!(allowed(&desk.call("wipe", desk::all()).await));
    desk::waits_for(&desk.call("wipe", desk::all()).await);
    assert_eq!(desk.forwarded(), 2, "the first call of all, and the one that was approved");
    desk.gate.door.state.stopped().await;
    let outcomes: Vec<_> = rows(&desk.gate.world).await.into_iter().map(|row| row.1).collect();
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "allow").count(), 1, "{outcomes:?}");
}

#[tokio::test]
async fn while_redis_is_away_a_change_is_obeyed_by_the_next_call() {
    let (world, door, grant, _postgres, redis) = wired(ALLOW).await;
    redis.cut();
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    // The writing side still reaches it.
    world.save_policy(r#"{ "version": "1", "default": "deny" }"#).await;
    assert!(!allowed(&door.call(&grant, "read", json!({})).await));
    world.revoke(grant.id).await;
    assert_eq!(door.call(&grant, "read", json!({})).await.status, StatusCode::UNAUTHORIZED);
    redis.mend();
    assert_eq!(world.upstream.received().len(), 2);
}

#[tokio::test]
async fn a_redis_that_comes_back_finds_nothing_remembered() {
    let (world, door, grant, postgres, redis) = wired(ALLOW).await;
    let mut generation = door.ledger.generation();
    generation.mark_unchanged();
    redis.cut();
    redis.mend();
    generation.changed().await.unwrap();
    // What the new connection leads to may have forgotten a change: only Postgres can say.
    postgres.cut();
    assert_eq!(door.call(&grant, "read", json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
    postgres.mend();
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    assert_eq!(world.upstream.received().len(), 2);
}

#[tokio::test]
async fn while_postgres_is_away_known_grants_work_and_unknown_ones_do_not() {
    let (world, door, grant, postgres, _redis) = wired(LIMITED).await;
    let unknown = world.grant().await;
    assert!(allowed(&door.call(&grant, "pay", json!({})).await));
    postgres.cut();
    assert!(allowed(&door.call(&grant, "pay", json!({})).await));
    assert!(!allowed(&door.call(&grant, "write", json!({})).await));
    let answer = door.call(&unknown, "read", json!({})).await;
    assert_eq!(
        (answer.status, answer.code(), answer.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, -32603, "1")
    );
    // A change that the gateway can't read.
    world.save_policy(ALLOW).await;
    assert_eq!(door.call(&grant, "read", json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
    postgres.mend();
    assert!(allowed(&door.call(&grant, "write", json!({})).await));
    let records = world.records(&[&door]).await;
    assert_eq!(records.decisions.iter().filter(|(row, _)| row.outcome == Outcome::Allow).count(), 4);
}

#[tokio::test]
async fn while_both_are_away_every_call_is_refused() {
    let (world, door, grant, postgres, redis) = wired(ALLOW).await;
    postgres.cut();
    redis.cut();
    for tool in ["read", "write"] {
        let answer = door.call(&grant, tool, json!({})).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, -32603));
        assert_eq!(answer.json()["error"]["data"]["requestId"], answer.header("x-request-id"));
    }
    assert_eq!(world.upstream.received().len(), 1);
    postgres.mend();
    redis.mend();
}

#[tokio::test]
async fn while_redis_is_away_a_flood_of_bad_tokens_still_leaves_one_row() {
    let (world, door, _, _postgres, redis) = wired(ALLOW).await;
    redis.cut();
    for _ in 0..5 {
        let bad = Grant { id: crate::world::new_id(), token: "x".to_owned() };
        assert_eq!(door.call(&bad, "read", json!({})).await.status, StatusCode::UNAUTHORIZED);
    }
    door.state.stopped().await;
    let rows = rows(&world).await;
    assert_eq!(rows.iter().filter(|row| row.1 == "unauthenticated").count(), 1, "{rows:?}");
}

#[tokio::test]
async fn a_full_log_refuses_calls_rather_than_losing_them() {
    let world = World::new(ALLOW, plain).await;
    // Room for one call: its decision and its end.
    let plan = Plan { stream_max: 2, ..world.plan() };
    let (door, grant) = (world.open(plan, |_| {}).await, world.grant().await);
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    door.state.stopped().await;
    let answer = door.call(&grant, "read", json!({})).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, -32603));
    assert_eq!(world.upstream.received().len(), 1);
}
