//! `/api/v1/organisations` and `/api/v1/organisation`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::{Api, shown};

#[tokio::test]
async fn a_person_makes_another_organisation() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let made = api.post("/api/v1/organisations", &acme.session, json!({"name": "Beta"})).await.expect(201);
    assert_eq!(made, json!({"slug": "beta"}));
    let list = api.get("/api/v1/organisations", &acme.session).await.expect(200);
    assert_snapshot!(shown(&list), @r#"
    {
      "items": [
        {
          "id": "[id]",
          "slug": "acme",
          "name": "Acme",
          "role": "owner"
        },
        {
          "id": "[id]",
          "slug": "beta",
          "name": "Beta",
          "role": "owner"
        }
      ],
      "next": null
    }
    "#);
}

#[tokio::test]
async fn an_owner_renames_it_and_the_address_stays() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let path = "/api/v1/organisation";
    let renamed = api.call(Method::PATCH, path, &acme.owner, Some(json!({"name": "Acme Ltd"}))).await;
    renamed.expect(200);
    assert_snapshot!(shown(&api.get(path, &acme.owner).await.expect(200)), @r#"
    {
      "id": "[id]",
      "slug": "acme",
      "name": "Acme Ltd",
      "created_at": "[time]",
      "servers": 0,
      "policies": 0,
      "grants": 0
    }
    "#);

    let refused = api.call(Method::PATCH, path, &acme.owner, Some(json!({"name": "x".repeat(81)}))).await;
    assert_eq!((refused.status, refused.errors().len()), (422, 1));
    assert!(refused.errors()[0].starts_with("/name is 81 characters long"), "{}", refused.text);
}

#[tokio::test]
async fn an_admin_does_not_rename_it() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let admin = api.key(&acme, "admin").await;
    let refused = api.call(Method::PATCH, "/api/v1/organisation", &admin, Some(json!({"name": "x"}))).await;
    assert_snapshot!(shown(&refused.expect(403)), @r#"
    {
      "type": "tag:tollgate.dev,2026:forbidden",
      "title": "The credentials are not enough for this",
      "status": 403,
      "detail": "this needs the role owner: ask an owner of the organisation",
      "request_id": "[id]"
    }
    "#);
}

#[tokio::test]
async fn members_are_listed() {
    let api = Api::start().await;
    let (acme, _other) = (api.organisation("Acme").await, api.organisation("Other").await);
    let members = api.get("/api/v1/members", &acme.owner).await.expect(200);
    assert_snapshot!(shown(&members), @r#"
    {
      "items": [
        {
          "id": "[id]",
          "email": "acme@example.com",
          "role": "owner",
          "joined_at": "[time]"
        }
      ],
      "next": null
    }
    "#);
}
