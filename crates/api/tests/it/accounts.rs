//! `/api/v1/sign-up` and `/api/v1/sessions`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::world::PASSWORD;
use crate::{Api, shown};

#[tokio::test]
async fn a_person_signs_up_and_is_logged_in() {
    let api = Api::start().await;
    let body = json!({"email": "Ada@Example.com", "password": PASSWORD, "organisation": "Acme & Sons"});
    let signed_up = api.post("/api/v1/sign-up", "", body).await.expect(201);
    assert_snapshot!(shown(&signed_up), @r#"
    {
      "token": "tg_session_[token]",
      "expires_at": "[time]",
      "organisation": "acme-sons"
    }
    "#);

    let token = signed_up["token"].as_str().unwrap();
    let session = api.get("/api/v1/sessions/current", token).await.expect(200);
    assert_snapshot!(shown(&session), @r#"
    {
      "email": "ada@example.com",
      "expires_at": "[time]",
      "organisations": [
        {
          "id": "[id]",
          "slug": "acme-sons",
          "name": "Acme & Sons",
          "role": "owner"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn every_wrong_field_of_a_sign_up_is_named() {
    let api = Api::start().await;
    let body = json!({"email": "ada", "password": "short", "organisation": " "});
    let refused = api.post("/api/v1/sign-up", "", body).await;
    assert_eq!(refused.status, 422);
    assert_snapshot!(refused.errors().join("\n"), @r"
    /email `ada` is not an e-mail address: it looks like name@example.com
    /password has 5 characters: use at least 12
    /organisation must not be empty: type at least one character
    ");

    let refused = api.post("/api/v1/sign-up", "", json!({"email": 1, "name": "Ada"})).await;
    assert_snapshot!(refused.errors().join("\n"), @r"
    /email must be a string, not a number
    /name is not a field here: remove it, or use one of `email`, `password`, `organisation`
    /password is missing: add it
    /organisation is missing: add it
    ");
}

#[tokio::test]
async fn an_address_signs_up_once() {
    let api = Api::start().await;
    api.organisation("Acme").await;
    let body = json!({"email": "acme@example.com", "password": PASSWORD, "organisation": "Other"});
    let refused = api.post("/api/v1/sign-up", "", body).await;
    assert_eq!((refused.status, refused.errors().len()), (422, 1));
}

#[tokio::test]
async fn a_log_in_ends_with_its_access_tokens() {
    let api = Api::start().await;
    api.organisation("Acme").await;
    let body = json!({"email": "acme@example.com", "password": PASSWORD});
    let session = api.post("/api/v1/sessions", "", body).await.expect(201);
    let session = session["token"].as_str().unwrap();
    let token = api.post("/api/v1/tokens", session, json!({"organisation": "acme"})).await.expect(201);
    let token = token["access_token"].as_str().unwrap();
    api.get("/api/v1/organisation", token).await.expect(200);

    assert_eq!(api.call(Method::DELETE, "/api/v1/sessions/current", session, None).await.status, 204);
    api.get("/api/v1/sessions/current", session).await.expect(401);
    api.get("/api/v1/organisation", token).await.expect(401);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_person_look_the_same() {
    let api = Api::start().await;
    api.organisation("Acme").await;
    let mut answers = Vec::new();
    for (email, password) in
        [("acme@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("not an address", PASSWORD)]
    {
        let mut refused =
            api.post("/api/v1/sessions", "", json!({"email": email, "password": password})).await.expect(401);
        refused["request_id"].take();
        answers.push(refused);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_snapshot!(shown(&answers[0]), @r#"
    {
      "type": "tag:tollgate.dev,2026:unauthenticated",
      "title": "Valid credentials are needed",
      "status": 401,
      "detail": "the e-mail or the password is wrong: type them again",
      "request_id": null
    }
    "#);
}

#[tokio::test]
async fn guessing_is_slowed_down() {
    let api = Api::start().await;
    api.organisation("Acme").await;
    let guess = json!({"email": "acme@example.com", "password": "wrong"});
    let mut refused = api.post("/api/v1/sessions", "", guess.clone()).await;
    for _ in 0..50 {
        if refused.status == 429 {
            break;
        }
        refused = api.post("/api/v1/sessions", "", guess.clone()).await;
    }
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
}
