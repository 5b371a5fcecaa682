//! `/api/v1/grants` and `/api/v1/servers/{id}/grants`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::PASSWORD;
use crate::{Api, Organisation, shown};

/// An API with an organisation, a server, a policy and a grant; the grant's path and its server's.
async fn with_grant() -> (Api, Organisation, String, String) {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let server = api.server(&acme, "Flowforge").await;
    let policy = api.policy(&acme, &server).await;
    let grant = api.grant(&acme, &server, &policy).await;
    (api, acme, format!("/api/v1/grants/{grant}"), format!("/api/v1/servers/{server}"))
}

async fn act(api: &Api, acme: &Organisation, path: &str, verb: &str) -> Value {
    api.call(Method::POST, &format!("{path}/{verb}"), &acme.owner, None).await.expect(200)
}

#[tokio::test]
async fn a_grant_is_minted_and_its_token_shown_once() {
    let (api, acme, grant, server) = with_grant().await;
    let body = json!({"label": "Laptop", "identity": "ada@example.com", "expires_at": "2099-12-31"});
    let minted = api.post(&format!("{server}/grants"), &acme.owner, body).await.expect(201);
    assert_snapshot!(shown(&minted["grant"]), @r#"
    {
      "id": "[id]",
      "server_id": "[id]",
      "server_name": "Flowforge",
      "label": "Laptop",
      "identity": "ada@example.com",
      "policy": null,
      "hint": "tg_grant_[hint]",
      "state": "active",
      "created_by": "acme@example.com",
      "created_at": "[time]",
      "rotated_at": null,
      "expires_at": "[time]",
      "revoked_at": null,
      "last_used_at": null
    }
    "#);
    let token = minted["token"].as_str().unwrap();
    assert_eq!(vault::TokenKind::claimed(token), Some(vault::TokenKind::Grant));
    let clients: Vec<_> = minted["clients"].as_array().unwrap().iter().map(|client| &client["id"]).collect();
    assert_eq!(clients.len(), 12);
    assert!(
        ["claude-code", "cursor", "codex", "curl"].iter().all(|id| clients.contains(&&serde_json::json!(id)))
    );
    assert!(
        minted["clients"].as_array().unwrap().iter().all(|c| c["text"].as_str().unwrap().contains(token))
    );

    for list in ["/api/v1/grants", &format!("{server}/grants")] {
        let list = api.get(list, &acme.owner).await;
        assert!(!list.text.contains(token), "the token is shown again");
        assert_eq!(list.expect(200)["items"].as_array().unwrap().len(), 2);
    }
    assert_eq!(api.get(&grant, &acme.owner).await.expect(200)["policy"]["name"], "read only");
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let (api, acme, _, server) = with_grant().await;
    let body = json!({"label": "", "identity": " ", "policy_id": "x", "expires_at": "2001-01-01"});
    let refused = api.post(&format!("{server}/grants"), &acme.owner, body).await;
    assert_eq!(refused.status, 422);
    assert_snapshot!(refused.errors().join("\n"), @r"
    /label must not be empty: type at least one character
    /identity must not be empty: type at least one character
    /policy_id `x` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057
    /expires_at is in the past: choose a later day
    ");
}

#[tokio::test]
async fn a_policy_of_another_server_is_refused() {
    let (api, acme, grant, _) = with_grant().await;
    let other = api.server(&acme, "Other").await;
    let policy = api.policy(&acme, &other).await;
    let path = format!("{grant}/policy");
    let refused = api.call(Method::PUT, &path, &acme.owner, Some(json!({"policy_id": policy}))).await;
    assert_eq!(refused.status, 422);
    assert_snapshot!(refused.errors().join("\n"), @"/policy_id is not a policy of this server: choose one of its own");
}

#[tokio::test]
async fn a_token_is_replaced() {
    let (api, acme, grant, _) = with_grant().await;
    let (one, two) = (act(&api, &acme, &grant, "rotate").await, act(&api, &acme, &grant, "rotate").await);
    assert_ne!(one["token"], two["token"]);
    assert!(two["grant"]["rotated_at"].is_string());
}

#[tokio::test]
async fn a_token_is_revealed_to_a_person_with_the_password() {
    let (api, acme, grant, _) = with_grant().await;
    let token = act(&api, &acme, &grant, "rotate").await["token"].clone();
    let path = format!("{grant}/reveal");
    let revealed = api.post(&path, &acme.owner, json!({"password": PASSWORD})).await.expect(200);
    assert_eq!(revealed["token"], token);

    let refused = api.post(&path, &acme.owner, json!({"password": "wrong"})).await;
    assert_snapshot!(format!("{} {}", refused.status, refused.errors().join("\n")), @"422 /password is wrong: type the password that you log in with");
    let key = api.key(&acme, "owner").await;
    let refused = api.post(&path, &key, json!({"password": PASSWORD})).await.expect(403);
    assert_snapshot!(refused["detail"].as_str().unwrap(), @"this is for people: log in with a password");
}

#[tokio::test]
async fn a_grant_is_revoked_for_good() {
    let (api, acme, grant, _) = with_grant().await;
    assert_eq!(act(&api, &acme, &grant, "revoke").await["state"], "revoked");
    assert_eq!(act(&api, &acme, &grant, "revoke").await["state"], "revoked");
    let refused = api.call(Method::POST, &format!("{grant}/rotate"), &acme.owner, None).await.expect(409);
    assert_snapshot!(shown(&refused), @r#"
    {
      "type": "tag:tollgate.dev,2026:conflict",
      "title": "The state of things is against it",
      "status": 409,
      "detail": "the grant is revoked: mint a new one",
      "request_id": "[id]"
    }
    "#);
    let body = json!({"expires_at": null});
    api.call(Method::PUT, &format!("{grant}/expiry"), &acme.owner, Some(body)).await.expect(409);
}

#[tokio::test]
async fn a_policy_is_attached_and_taken_off() {
    let (api, acme, grant, _) = with_grant().await;
    let path = format!("{grant}/policy");
    let without = api.call(Method::PUT, &path, &acme.owner, Some(json!({"policy_id": null}))).await;
    assert_eq!(without.expect(200)["policy"], Value::Null);
    // Leaving it out must not take the policy off by accident.
    let refused = api.call(Method::PUT, &path, &acme.owner, Some(json!({}))).await;
    assert_eq!(refused.errors(), ["/policy_id is missing: add it"]);
    let refused = api.call(Method::PUT, &path, &acme.owner, Some(json!({"policy_id": "x"}))).await;
    assert_snapshot!(refused.errors().join("\n"), @"/policy_id `x` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057");
}

#[tokio::test]
async fn an_end_is_set_and_cleared() {
    let (api, acme, grant, _) = with_grant().await;
    let path = format!("{grant}/expiry");
    let set = api.call(Method::PUT, &path, &acme.owner, Some(json!({"expires_at": "2099-12-31"}))).await;
    assert_eq!(set.expect(200)["expires_at"], "2100-01-01T00:00:00Z");
    let cleared = api.call(Method::PUT, &path, &acme.owner, Some(json!({"expires_at": null}))).await;
    assert_eq!(cleared.expect(200)["expires_at"], Value::Null);
}
