//! `/api/v1/approvals`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Api, Organisation, shown};

const ARGUMENTS: &str = r#"{"note":"a secret plan","run_id":"run-0002","token":"t-123"}"#;

/// An organisation with a call that waits; the address of the approval.
async fn with_question() -> (Api, Organisation, String) {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let server = api.server(&acme, "Flowforge").await;
    let policy = api.policy(&acme, &server).await;
    let grant = api.grant(&acme, &server, &policy).await;
    let id = api.question(&acme, &server, &grant, ARGUMENTS).await;
    (api, acme, format!("/api/v1/approvals/{id}"))
}

#[tokio::test]
async fn an_editor_sees_what_is_asked() {
    let (api, acme, path) = with_question().await;
    let editor = api.key(&acme, "editor").await;
    let approval = api.get(&path, &editor).await.expect(200);
    assert_snapshot!(shown(&approval), @r#"
    {
      "id": "[id]",
      "state": "pending",
      "server_id": "[id]",
      "server_name": "Flowforge",
      "grant_id": "[id]",
      "grant_label": "CI bot",
      "identity": "ci@example.com",
      "grant_ended": false,
      "tool": "flowforge_retry_run",
      "argument_keys": [
        "note",
        "run_id",
        "token"
      ],
      "argument_digest": "00000000000000000000000000000000000000000000000025c0ad50194b90fc",
      "rule": "/tools/flowforge_retry_run/action",
      "message": "Look at it first.",
      "policy": null,
      "client_name": "claude-code",
      "client_version": "2.1.4",
      "asked_at": "[time]",
      "asked_decision_id": "[id]",
      "expires_at": "[time]",
      "lives_seconds": 3600,
      "decided_by": null,
      "decided_at": null,
      "note": null,
      "usable_until": null,
      "used_at": null,
      "used_decision_id": null,
      "arguments": {
        "text": "{\n  \"note\": \"a secret plan\",\n  \"run_id\": \"run-0002\",\n  \"token\": \"•••\"\n}",
        "masked": [
          "/token"
        ]
      }
    }
    "#);
}

#[tokio::test]
async fn values_of_arguments_are_in_no_other_answer() {
    let (api, acme, path) = with_question().await;
    let viewer = api.key(&acme, "viewer").await;
    let seen = api.get(&path, &viewer).await;
    assert_eq!(seen.body["arguments"], Value::Null);
    assert_eq!(seen.body["argument_keys"], json!(["note", "run_id", "token"]));
    let list = api.get("/api/v1/approvals", &acme.owner).await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 1);
    assert!(list.body["items"][0].get("arguments").is_none());
    let approved = api.post(&format!("{path}/approve"), &acme.owner, json!({"note": "Go."})).await;
    assert_eq!(approved.status, 200, "{}", approved.text);
    let again = api.post(&format!("{path}/approve"), &acme.owner, json!({})).await;
    let after = api.get(&path, &acme.owner).await;
    let log = api.get("/api/v1/admin-log", &acme.owner).await;
    for answer in [seen, list, approved, again, after, log] {
        assert!(!answer.text.contains("run-0002") && !answer.text.contains("t-123"), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_call_is_approved() {
    let (api, acme, path) = with_question().await;
    let approved =
        api.post(&format!("{path}/approve"), &acme.owner, json!({"note": "Go."})).await.expect(200);
    assert_eq!((&approved["state"], &approved["note"]), (&json!("approved"), &json!("Go.")));
    assert_eq!(approved["decided_by"], "acme@example.com");
    assert!(approved["usable_until"].is_string());
    let refused = api.post(&format!("{path}/refuse"), &acme.owner, json!({})).await.expect(409);
    assert_eq!(refused["type"], "tag:tollgate.dev,2026:conflict");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.starts_with("it was approved by acme@example.com at "), "{detail}");
}

#[tokio::test]
async fn a_call_is_refused_with_a_note() {
    let (api, acme, path) = with_question().await;
    let wrong = api.post(&format!("{path}/refuse"), &acme.owner, json!({"note": "a\u{7}b"})).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.errors(), ["/note has a control character at position 2: remove it"]);
    let unknown = api.post(&format!("{path}/refuse"), &acme.owner, json!({"reason": "x"})).await;
    assert_eq!(unknown.status, 422);
    let refused =
        api.post(&format!("{path}/refuse"), &acme.owner, json!({"note": "Ask Ada."})).await.expect(200);
    assert_eq!((&refused["state"], &refused["note"]), (&json!("refused"), &json!("Ask Ada.")));
    assert_eq!(refused["usable_until"], Value::Null);
}

#[tokio::test]
async fn lists_are_narrowed() {
    let (api, acme, path) = with_question().await;
    let server = api.get(&path, &acme.owner).await.body["server_id"].as_str().unwrap().to_owned();
    for (query, found) in [
        ("state=pending".to_owned(), 1),
        ("state=refused".to_owned(), 0),
        (format!("server={server}&limit=1"), 1),
        ("server=01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), 0),
    ] {
        let page = api.get(&format!("/api/v1/approvals?{query}"), &acme.owner).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
    let refused = api.get("/api/v1/approvals?state=maybe&server=x&cursor=1&limit=0", &acme.owner).await;
    assert_eq!(refused.status, 400);
    assert_snapshot!(refused.errors().join("\n"), @r"
    state `maybe` is no state of an approval: use pending, approved, used, refused, expired or withdrawn
    server `x` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057
    cursor `1` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057
    limit must be a whole number from 1 to 200
    ");
}
