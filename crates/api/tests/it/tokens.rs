//! `/api/v1/tokens` and the keys that they are signed with.

use insta::assert_snapshot;
use serde_json::json;

use crate::{Api, shown};

#[tokio::test]
async fn a_log_in_makes_a_token_for_one_organisation() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let token = api.post("/api/v1/tokens", &acme.session, json!({"organisation": "acme"})).await.expect(201);
    assert_snapshot!(shown(&token), @r#"
    {
      "access_token": "[jwt]",
      "token_type": "Bearer",
      "expires_at": "[time]"
    }
    "#);
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(api.get("/api/v1/organisation", token).await.expect(200)["slug"], "acme");
}

#[tokio::test]
async fn a_key_makes_a_token_for_its_own() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let key = api.key(&acme, "viewer").await;
    let token = api.post("/api/v1/tokens", &key, json!({})).await.expect(201);
    let token = token["access_token"].as_str().unwrap();
    api.get("/api/v1/servers", token).await.expect(200);
    // The role is the key's.
    api.post("/api/v1/keys", token, json!({"label": "more", "role": "viewer"})).await.expect(403);
    // A token does not renew itself: it would outlive what it was made from in the eyes of who reads it.
    api.post("/api/v1/tokens", token, json!({})).await.expect(401);
}

#[tokio::test]
async fn the_organisation_must_fit_who_asks() {
    let api = Api::start().await;
    let (acme, _other) = (api.organisation("Acme").await, api.organisation("Other").await);
    let key = api.key(&acme, "viewer").await;
    for (token, body) in [
        (&acme.session, json!({})),
        (&acme.session, json!({"organisation": "other"})),
        (&acme.session, json!({"organisation": "nowhere"})),
        (&key, json!({"organisation": "acme"})),
    ] {
        let refused = api.post("/api/v1/tokens", token, body.clone()).await;
        assert_eq!((refused.status, refused.errors().len()), (422, 1), "{body}");
    }
}

#[tokio::test]
async fn a_session_token_is_no_access_token() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let refused = api.get("/api/v1/servers", &acme.session).await;
    assert_eq!(refused.header("www-authenticate"), r#"Bearer realm="tollgate""#);
    assert_snapshot!(shown(&refused.expect(401)), @r#"
    {
      "type": "tag:tollgate.dev,2026:unauthenticated",
      "title": "Valid credentials are needed",
      "status": 401,
      "detail": "a session token names no organisation: exchange it at POST /api/v1/tokens",
      "request_id": "[id]"
    }
    "#);
    api.get("/api/v1/sessions/current", &acme.owner).await.expect(401);
}

#[tokio::test]
async fn tokens_name_a_published_key() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let answer = api.get("/.well-known/jwks.json", "").await;
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let keys = answer.expect(200);
    let header = URL_SAFE_NO_PAD.decode(acme.owner.split('.').next().unwrap()).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(header["kid"], keys["keys"][0]["kid"]);
    assert!(keys["keys"][0].get("d").is_none(), "the private half is published");
}

#[tokio::test]
async fn a_token_that_is_not_ours_is_refused() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let (head, _) = acme.owner.rsplit_once('.').unwrap();
    for token in ["x", "eyJhbGciOiJub25lIn0.e30.", head, &format!("{head}.AAAA"), "tg_key_", "tg_grant_x"] {
        let refused = api.get("/api/v1/servers", token).await;
        assert_eq!(refused.status, 401, "{token}");
        assert!(!refused.text.contains(token) || token == "x", "the token is repeated: {}", refused.text);
    }
}
