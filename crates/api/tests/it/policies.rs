//! `/api/v1/policies` and `/api/v1/servers/{id}/policies`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::world::read_only;
use crate::{Api, Organisation, shown};

/// An API with an organisation and a server; the server's path.
async fn with_server() -> (Api, Organisation, String) {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let server = api.server(&acme, "Flowforge").await;
    (api, acme, format!("/api/v1/servers/{server}"))
}

#[tokio::test]
async fn a_policy_is_made_changed_compared_and_deleted() {
    let (api, acme, server) = with_server().await;
    let text = "{\n  \"version\": \"1\",\n  \"default\": \"deny\"\n}\n";
    let body = json!({"name": "nothing", "document": text});
    let made = api.post(&format!("{server}/policies"), &acme.owner, body).await.expect(201);
    assert_snapshot!(shown(&made), @r#"
    {
      "id": "[id]",
      "server_id": "[id]",
      "name": "nothing",
      "version": 1,
      "saved_at": "[time]",
      "saved_by": "acme@example.com",
      "grants": 0,
      "shown_version": 1,
      "document": "{\n  \"version\": \"1\",\n  \"default\": \"deny\"\n}\n",
      "canonical": {
        "version": "1",
        "default": "deny",
        "mode": "enforce",
        "validate_arguments": false,
        "all_tools": {},
        "tools": {}
      },
      "warnings": [],
      "shown_saved_at": "[time]",
      "shown_saved_by": "acme@example.com"
    }
    "#);

    let path = format!("/api/v1/policies/{}", made["id"].as_str().unwrap());
    let text = text.replace("deny", "allow");
    let body = json!({"expected_version": 1, "document": text});
    let saved = api.post(&format!("{path}/versions"), &acme.owner, body).await.expect(201);
    assert_eq!((&saved["version"], &saved["document"]), (&json!(2), &json!(text)));

    let diff = api.get(&format!("{path}/diff?from=1&to=2"), &acme.owner).await.expect(200);
    let lines = diff["lines"].as_array().unwrap().iter();
    let lines: Vec<_> =
        lines.map(|line| format!("{} {}", line["kind"].as_str().unwrap(), line["text"])).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    same "{"
    same "  \"version\": \"1\","
    removed "  \"default\": \"deny\""
    added "  \"default\": \"allow\""
    same "}"
    "#);

    let history = api.get(&format!("{path}/versions"), &acme.owner).await.expect(200);
    assert_snapshot!(shown(&history), @r#"
    {
      "items": [
        {
          "version": 2,
          "saved_at": "[time]",
          "saved_by": "acme@example.com",
          "added": 1,
          "removed": 1
        },
        {
          "version": 1,
          "saved_at": "[time]",
          "saved_by": "acme@example.com",
          "added": 4,
          "removed": 0
        }
      ],
      "next": null
    }
    "#);
    let first = api.get(&format!("{path}/versions/1"), &acme.owner).await.expect(200);
    assert_eq!((&first["version"], &first["shown_version"]), (&json!(2), &json!(1)));
    api.get(&format!("{path}/versions/3"), &acme.owner).await.expect(404);
    api.get(&format!("{path}/versions/x"), &acme.owner).await.expect(404);

    let renamed = api.call(Method::PATCH, &path, &acme.owner, Some(json!({"name": "all"}))).await.expect(200);
    assert_eq!(renamed["name"], "all");
    assert_eq!(api.get(&path, &acme.owner).await.expect(200)["name"], "all");
    for list in ["/api/v1/policies", &format!("{server}/policies")] {
        assert_eq!(api.get(list, &acme.owner).await.expect(200)["items"][0]["name"], "all");
    }
    assert_eq!(api.call(Method::DELETE, &path, &acme.owner, None).await.status, 204);
    api.get(&path, &acme.owner).await.expect(404);
}

#[tokio::test]
async fn a_document_sent_as_an_object_is_kept_as_it_was_written() {
    let (api, acme, server) = with_server().await;
    let text = r#"{ "version":"1",  "default" : "deny" }"#;
    let body = format!(r#"{{"name": "x", "document": {text}}}"#);
    let request = axum::http::Request::post(format!("{server}/policies"))
        .header("authorization", format!("Bearer {}", acme.owner))
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    assert_eq!(api.send(request).await.expect(201)["document"], text);
}

#[tokio::test]
async fn every_problem_of_a_document_is_named_at_its_line() {
    let (api, acme, server) = with_server().await;
    let text = "{\n \"version\": \"2\",\n \"tools\": {\"a\": {\"action\": \"perhaps\", \"colour\": 1}}\n}";
    let body = json!({"name": "x", "document": text});
    let refused = api.post(&format!("{server}/policies"), &acme.owner, body).await;
    assert_eq!(refused.status, 422);
    assert_snapshot!(shown(&refused.body), @r#"
    {
      "type": "tag:tollgate.dev,2026:invalid-policy",
      "title": "The policy can't be saved",
      "status": 422,
      "detail": "the document has 4 problems: see `errors`",
      "request_id": "[id]",
      "errors": [
        {
          "pointer": "/document",
          "detail": "`default` is missing: write \"default\": \"deny\"",
          "line": 1,
          "column": 1,
          "code": "missing_field"
        },
        {
          "pointer": "/document/version",
          "detail": "only version \"1\" is known: write \"version\": \"1\"",
          "line": 2,
          "column": 13,
          "code": "unknown_version"
        },
        {
          "pointer": "/document/tools/a/action",
          "detail": "unknown word `perhaps`: use `allow`, `deny`, `hide` or `require_approval`",
          "line": 3,
          "column": 28,
          "code": "unknown_action"
        },
        {
          "pointer": "/document/tools/a/colour",
          "detail": "unknown field `colour`: use `require`, `deny_if`, `approve_if`, `limits`, `validate_arguments`, `mode`, `action`, `reason` or `rate_limit`",
          "line": 3,
          "column": 39,
          "code": "unknown_field"
        }
      ]
    }
    "#);
    assert_eq!(api.get("/api/v1/policies", &acme.owner).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_document_is_checked_without_saving_it() {
    let (api, acme, server) = with_server().await;
    let path = format!("{server}/policies/check");
    let good = api.post(&path, &acme.owner, json!({"document": read_only()})).await.expect(200);
    assert_eq!(good["problems"], json!([]));
    assert_eq!(good["effects"].as_array().unwrap().len(), 49);
    assert_eq!(good["methods"][0], json!({"part": "resources", "effect": "deny", "rule": "(default deny)"}));
    assert_eq!(good["methods"].as_array().unwrap().len(), 6);
    let bad = api.post(&path, &acme.owner, json!({"document": {"version": "1"}})).await.expect(200);
    assert_snapshot!(shown(&bad), @r#"
    {
      "problems": [
        {
          "pointer": "",
          "line": 1,
          "column": 1,
          "code": "missing_field",
          "message": "`default` is missing: write \"default\": \"deny\""
        }
      ],
      "warnings": [],
      "canonical": null,
      "effects": [],
      "methods": []
    }
    "#);
    let unreadable = api.post(&path, &acme.owner, json!({"document": "{"})).await.expect(200);
    assert_eq!(unreadable["problems"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/api/v1/policies", &acme.owner).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn a_first_policy_is_proposed_and_can_be_saved() {
    let (api, acme, server) = with_server().await;
    let presets = api.get(&format!("{server}/policies/presets"), &acme.owner).await.expect(200);
    let ids: Vec<_> = presets["items"].as_array().unwrap().iter().map(|preset| &preset["id"]).collect();
    assert_eq!(ids, ["read-only", "operator", "builder", "locked-down"]);
    let proposal = api.get(&format!("{server}/policies/proposal"), &acme.owner).await.expect(200);
    let body = json!({"name": "first", "document": proposal["document"]});
    api.post(&format!("{server}/policies"), &acme.owner, body).await.expect(201);
}

#[tokio::test]
async fn a_version_saved_in_the_meantime_is_a_conflict() {
    let (api, acme, server) = with_server().await;
    let body = json!({"name": "x", "document": read_only()});
    let made = api.post(&format!("{server}/policies"), &acme.owner, body).await.expect(201);
    let path = format!("/api/v1/policies/{}/versions", made["id"].as_str().unwrap());
    let body = json!({"expected_version": 1, "document": {"version": "1", "default": "deny"}});
    api.post(&path, &acme.owner, body).await.expect(201);
    let body = json!({"expected_version": 1, "document": {"version": "1", "default": "allow"}});
    let refused = api.post(&path, &acme.owner, body).await.expect(409);
    assert_snapshot!(shown(&refused), @r#"
    {
      "type": "tag:tollgate.dev,2026:conflict",
      "title": "The state of things is against it",
      "status": 409,
      "detail": "version 2 was saved in the meantime: read it, then save again on top of it",
      "request_id": "[id]"
    }
    "#);
}

#[tokio::test]
async fn a_policy_in_use_is_not_deleted() {
    let (api, acme, server) = with_server().await;
    let id = server.rsplit('/').next().unwrap();
    let policy = api.policy(&acme, id).await;
    api.grant(&acme, id, &policy).await;
    let path = format!("/api/v1/policies/{policy}");
    let refused = api.call(Method::DELETE, &path, &acme.owner, None).await;
    assert_eq!(refused.expect(409)["detail"], "1 grants use this policy: attach another one to them first");
}

#[tokio::test]
async fn versions_to_compare_must_be_named() {
    let (api, acme, server) = with_server().await;
    let policy = api.policy(&acme, server.rsplit('/').next().unwrap()).await;
    let path = format!("/api/v1/policies/{policy}/diff");
    let refused = api.get(&format!("{path}?from=0"), &acme.owner).await;
    assert_eq!(refused.status, 400);
    assert_snapshot!(refused.errors().join("\n"), @r"
    from must be a whole number from 1
    to is missing: add it
    ");
    api.get(&format!("{path}?from=1&to=9"), &acme.owner).await.expect(404);
}

#[tokio::test]
async fn the_schema_of_the_language_is_for_everybody() {
    let api = Api::start().await;
    let schema = api.get("/api/v1/policies/schema", "").await.expect(200);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&read_only()));
    assert!(!validator.is_valid(&Value::from("deny")));
}
