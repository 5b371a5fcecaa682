//! A call that starts after a change was answered is judged by the new state, on every gateway, whatever they remember.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::world::{ALLOW, Plan, World, plain};

const DENY: &str = r#"{ "version": "1", "default": "deny" }"#;

fn allowed(answer: &Answer) -> bool {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()["result"]["isError"] == Value::Null
}

#[tokio::test]
async fn an_edited_policy_is_obeyed_by_the_next_call_on_both_gateways_every_time() {
    let world = World::new(ALLOW, plain).await;
    let (one, two, grant) = (world.door().await, world.door().await, world.grant().await);
    for round in 0..60 {
        let deny = round % 2 == 0;
        world.save_policy(if deny { DENY } else { ALLOW }).await;
        let (first, second) =
            tokio::join!(one.call(&grant, "read", json!({})), two.call(&grant, "read", json!({})));
        assert_eq!((allowed(&first), allowed(&second)), (!deny, !deny), "round {round}");
    }
    assert_eq!(world.upstream.received().len(), 60);
}

#[tokio::test]
async fn a_revoked_grant_is_refused_by_the_next_call_on_both_gateways_every_time() {
    let world = World::new(ALLOW, plain).await;
    let (one, two) = (world.door().await, world.door().await);
    for round in 0..30 {
        let grant = world.grant().await;
        for door in [&one, &two] {
            // Minted just now, and remembered from here on.
            assert!(allowed(&door.call(&grant, "read", json!({})).await), "round {round}");
        }
        world.revoke(grant.id).await;
        for door in [&one, &two] {
            let answer = door.call(&grant, "read", json!({})).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "round {round}");
        }
    }
    assert_eq!(world.upstream.received().len(), 60);
}

#[tokio::test]
async fn a_prolonged_grant_works_again_at_once() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    let end = world.now() + std::time::Duration::from_mins(1);
    let grant = world.mint(world.tenant, world.server, Some(world.policy), Some(end)).await;
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    world.clock.advance(std::time::Duration::from_mins(2));
    assert_eq!(door.call(&grant, "read", json!({})).await.status, StatusCode::UNAUTHORIZED);
    world.change(world.tenant, async |tx| assert!(tx.set_grant_expiry(grant.id, None).await.unwrap())).await;
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
}

#[tokio::test]
async fn a_change_under_way_is_judged_by_what_is_committed() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    // The writing process stops between its mark and its commit, and then between its commit and its answer.
    world.mark(world.tenant).await;
    for _ in 0..3 {
        assert!(allowed(&door.call(&grant, "read", json!({})).await));
    }
    world.save_policy_unpublished(DENY).await;
    for _ in 0..3 {
        assert!(!allowed(&door.call(&grant, "read", json!({})).await));
    }
}

#[tokio::test]
async fn what_is_remembered_costs_no_look_at_the_database() {
    let world = World::new(ALLOW, plain).await;
    let wire = testkit::Wire::to(&world.db.url).await;
    let plan = Plan { postgres: wire.url().to_owned(), ..world.plan() };
    let door = world.open(plan, |_| {}).await;
    let grant = world.grant().await;
    assert!(allowed(&door.call(&grant, "read", json!({})).await));
    wire.cut();
    for _ in 0..10 {
        assert!(allowed(&door.call(&grant, "read", json!({})).await));
    }
}

#[tokio::test]
async fn many_calls_at_once_share_a_few_looks_at_the_database() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for _ in 0..5 {
        world.save_policy(DENY).await;
        world.save_policy(ALLOW).await;
        let calls = (0..50).map(|_| door.call(&grant, "read", json!({})));
        assert!(futures_util::future::join_all(calls).await.iter().all(allowed));
    }
}
