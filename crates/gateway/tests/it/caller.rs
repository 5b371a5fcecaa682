//! Everybody without a valid grant gets one and the same answer, and leaves one row a minute.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use domain::Outcome;
use serde_json::json;
use vault::{Entropy, Token, TokenKind};

use crate::client::{Answer, Door, call};
use crate::world::{ALLOW, Grant, World, new_id, plain};

async fn with_token(door: &Door, token: &str) -> Answer {
    let grant = Grant { id: new_id(), token: token.to_owned() };
    door.call(&grant, "read", json!({})).await
}

/// What an answer says, less what differs by the address that the client itself chose and by the request.
fn said(door: &Door, answer: &Answer) -> (StatusCode, String, Vec<(String, String)>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| {
            (name.to_string(), value.to_str().unwrap().replace(&door.server.to_string(), "SERVER"))
        })
        .collect();
    headers.sort();
    (answer.status, answer.text.clone(), headers)
}

#[tokio::test]
async fn who_has_no_valid_grant_learns_nothing() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    let (revoked, other) = (world.grant().await, world.grant().await);
    let end = world.now() + Duration::from_mins(1);
    let expired = world.mint(world.tenant, world.server, Some(world.policy), Some(end)).await;
    world.revoke(revoked.id).await;
    world.clock.advance(Duration::from_mins(1));
    // A second server of the same tenant, and one of another tenant.
    let second = new_id();
    world.insert_server(world.tenant, second, new_id(), ALLOW, &[]).await;
    let (stranger, strange) = (new_id(), new_id());
    world.insert_tenant(stranger).await;
    world.insert_server(stranger, strange, new_id(), ALLOW, &[]).await;

    let never_minted = Token::generate(TokenKind::Grant, &Entropy::System);
    let key = Token::generate(TokenKind::Key, &Entropy::System);
    let mut mistyped = other.token.clone();
    mistyped.replace_range(20..21, if &mistyped[20..21] == "x" { "y" } else { "x" });
    let mut answers = Vec::new();
    for token in ["", "x", &mistyped, never_minted.expose(), key.expose(), &revoked.token, &expired.token] {
        answers.push(said(&door, &with_token(&door, token).await));
    }
    for server in [second, strange, new_id()] {
        let door = door.at(server);
        answers.push(said(&door, &door.call(&other, "read", json!({})).await));
    }
    let first = answers[0].clone();
    assert_eq!(first.0, StatusCode::UNAUTHORIZED);
    let challenge = format!(
        "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp/SERVER\", error=\"invalid_token\"",
        door.base
    );
    assert!(first.2.contains(&("www-authenticate".to_owned(), challenge)), "{first:?}");
    assert!(answers.iter().all(|answer| *answer == first), "{answers:#?}");
    assert!(world.upstream.received().is_empty());
    assert_eq!(door.call(&other, "read", json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_no_error_is_named() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        // A token in the query is none.
        let url = format!("{}?access_token={}", door.url(), world.grant().await.token);
        let answer = Answer::of(door.http().request(method.clone(), url).send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method}");
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer resource_metadata=") && !challenge.contains("error"),
            "{challenge}"
        );
    }
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn two_tokens_are_one_too_many() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let request = door.request(&grant).header("authorization", "Bearer other");
    let answer = Answer::of(request.body(call("read", json!({})).to_string()).send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(world.upstream.received().is_empty());
}

#[tokio::test]
async fn the_scheme_may_be_spelt_anyhow() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    for authorization in [format!("bearer {}", grant.token), format!("BEARER  {}", grant.token)] {
        let request = door.http().post(door.url()).header("authorization", authorization);
        let request =
            request.header("content-type", "application/json").body(call("read", json!({})).to_string());
        assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_flood_of_bad_tokens_leaves_one_row_for_each_reason() {
    let world = World::new(ALLOW, plain).await;
    let (door, second) = (world.door().await, world.door().await);
    let revoked = world.grant().await;
    world.revoke(revoked.id).await;
    for _ in 0..5 {
        for door in [&door, &second] {
            with_token(door, "x").await;
            with_token(door, &revoked.token).await;
            // A server that does not exist has no log.
            with_token(&door.at(new_id()), "x").await;
        }
    }
    let records = world.records(&[&door, &second]).await;
    let mut rows: Vec<_> = records
        .decisions
        .iter()
        .map(|(row, _)| {
            assert_eq!(
                (row.outcome, row.tenant, row.forwards),
                (Outcome::Unauthenticated, world.tenant, false)
            );
            assert_eq!(row.address.as_deref(), Some("127.0.0.1"));
            (row.message.clone().unwrap(), row.grant.as_ref().map(|grant| grant.id))
        })
        .collect();
    rows.sort();
    let expected = [("not a token".to_owned(), None), ("revoked token".to_owned(), Some(revoked.id))];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn the_owner_of_a_server_does_not_see_whose_foreign_token_was_tried() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    let (stranger, strange, policy) = (new_id(), new_id(), new_id());
    world.insert_tenant(stranger).await;
    world.insert_server(stranger, strange, policy, ALLOW, &[]).await;
    let foreign = world.mint(stranger, strange, Some(policy), None).await;
    assert_eq!(door.call(&foreign, "read", json!({})).await.status, StatusCode::UNAUTHORIZED);
    let records = world.records(&[&door]).await;
    let (row, _) = &records.decisions[0];
    assert_eq!((row.tenant, records.decisions.len()), (world.tenant, 1));
    assert_eq!((&row.grant, row.message.as_deref()), (&None, Some("token of another server")));
}

#[tokio::test]
async fn the_metadata_is_there_with_and_without_a_slash_for_any_server() {
    let world = World::new(ALLOW, plain).await;
    let door = world.door().await;
    for server in [world.server, new_id()] {
        let base = format!("{}/.well-known/oauth-protected-resource/mcp/{server}", door.base);
        for url in [base.clone(), format!("{base}/")] {
            let answer = Answer::of(door.http().get(url).send().await.unwrap()).await;
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.json()["resource"], format!("{}/mcp/{server}", door.base));
            assert_eq!(answer.json()["authorization_servers"], json!([door.base]));
            assert_eq!(answer.json()["bearer_methods_supported"], json!(["header"]));
        }
    }
}
