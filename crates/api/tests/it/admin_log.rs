//! `/api/v1/admin-log`.

use insta::assert_snapshot;
use serde_json::json;

use crate::{Api, shown};

#[tokio::test]
async fn changes_are_listed_page_by_page() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    for label in ["one", "two", "three"] {
        let body = json!({"label": label, "role": "viewer"});
        api.post("/api/v1/keys", &acme.owner, body).await.expect(201);
    }
    let first = api.get("/api/v1/admin-log?limit=2", &acme.owner).await.expect(200);
    assert_snapshot!(shown(&first["items"][0]), @r#"
    {
      "id": "[id]",
      "at": "[time]",
      "actor_kind": "user",
      "actor": "acme@example.com",
      "action": "key.create",
      "subject_id": "[id]",
      "subject": "three",
      "details": {
        "role": "viewer",
        "expires_at": null
      }
    }
    "#);
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("/api/v1/admin-log?limit=2&cursor={next}"), &acme.owner).await.expect(200);
    assert_eq!(second["next"], json!(null));
    let pages = [first, second];
    let seen: Vec<_> = pages
        .iter()
        .flat_map(|page| page["items"].as_array().unwrap())
        .map(|event| format!("{} {}", event["action"].as_str().unwrap(), event["subject"].as_str().unwrap()))
        .collect();
    assert_snapshot!(seen.join("\n"), @r"
    key.create three
    key.create two
    key.create one
    organisation.create Acme
    ");
}
