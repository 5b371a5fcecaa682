//! `/api/v1/keys`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::{Api, shown};

#[tokio::test]
async fn a_key_is_made_used_listed_and_revoked() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let body = json!({"label": "log export", "role": "viewer", "expires_at": "2099-01-31"});
    let minted = api.post("/api/v1/keys", &acme.owner, body).await.expect(201);
    assert_snapshot!(shown(&minted), @r#"
    {
      "key": {
        "id": "[id]",
        "label": "log export",
        "role": "viewer",
        "hint": "tg_key_[hint]",
        "state": "active",
        "created_by": "acme@example.com",
        "created_at": "[time]",
        "last_used_at": null,
        "expires_at": "[time]",
        "revoked_at": null
      },
      "token": "tg_key_[token]"
    }
    "#);

    let token = minted["token"].as_str().unwrap();
    api.get("/api/v1/servers", token).await.expect(200);
    let access = api.post("/api/v1/tokens", token, json!({})).await.expect(201);
    let access = access["access_token"].as_str().unwrap();

    let list = api.get("/api/v1/keys", &acme.owner).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert!(!list.to_string().contains(token), "the list shows the token");

    let path = format!("/api/v1/keys/{}", minted["key"]["id"].as_str().unwrap());
    let revoked = api.call(Method::DELETE, &path, &acme.owner, None).await.expect(200);
    assert_eq!(revoked["state"], "revoked");
    api.get("/api/v1/servers", token).await.expect(401);
    api.get("/api/v1/servers", access).await.expect(401);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let body = json!({"label": "", "role": "root", "expires_at": "tomorrow"});
    let refused = api.post("/api/v1/keys", &acme.owner, body).await;
    assert_eq!(refused.status, 422);
    assert_snapshot!(refused.errors().join("\n"), @r"
    /label must not be empty: type at least one character
    /role `root` is not a role: use viewer, editor, admin or owner
    /expires_at `tomorrow` is not a day or time: write it like 2027-01-31 or 2027-01-31T18:00:00Z
    ");
}

#[tokio::test]
async fn nobody_makes_a_key_above_their_own() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let admin = api.key(&acme, "admin").await;
    api.post("/api/v1/keys", &admin, json!({"label": "x", "role": "admin"})).await.expect(201);
    let refused = api.post("/api/v1/keys", &admin, json!({"label": "x", "role": "owner"})).await;
    assert!(matches!(refused.status, 403 | 422), "{}", refused.text);
}
