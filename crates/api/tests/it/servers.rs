//! `/api/v1/servers` and `/api/v1/catalogue`.

use axum::http::Method;
use insta::assert_snapshot;
use serde_json::json;

use crate::world::upstream;
use crate::{Api, shown};

#[tokio::test]
async fn a_server_is_probed_registered_and_deleted() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let url = upstream().await;

    let report =
        api.post("/api/v1/servers/probe", &acme.owner, json!({"upstream_url": url})).await.expect(200);
    assert_eq!((&report["state"], report["tools"].as_array().unwrap().len()), (&json!("ready"), 49));
    assert_eq!(api.get("/api/v1/servers", &acme.owner).await.expect(200)["items"], json!([]));

    let headers = json!([{"name": "X-Api-Key", "value": "hunter2-hunter2"}]);
    let body = json!({"name": "Flowforge", "upstream_url": url, "headers": headers});
    let registered = api.post("/api/v1/servers", &acme.owner, body).await;
    assert!(!registered.text.contains("hunter2"), "a credential is shown");
    let server = registered.expect(201);
    assert_snapshot!(shown(&server), @r#"
    {
      "id": "[id]",
      "name": "Flowforge",
      "upstream_url": "http://127.0.0.1:[port]/mcp",
      "gateway_url": "https://tollgate.example/mcp/[id]",
      "catalogue_entry": null,
      "state": "ready",
      "state_message": "Ready. It lists 49 tools.",
      "checked_at": "[time]",
      "protocol_version": "2026-07-28",
      "upstream_name": "flowforge-sim 0.1.0",
      "login": "headers",
      "header_names": [
        "x-api-key"
      ],
      "tools": 49,
      "policies": 0,
      "grants": 0,
      "created_at": "[time]"
    }
    "#);

    let path = format!("/api/v1/servers/{}", server["id"].as_str().unwrap());
    assert_eq!(api.get(&path, &acme.owner).await.expect(200)["name"], "Flowforge");
    let tools = api.get(&format!("{path}/tools"), &acme.owner).await.expect(200);
    assert_eq!(tools["items"].as_array().unwrap().len(), 49);
    assert_snapshot!(shown(&tools["items"][0]), @r#"
    {
      "name": "flowforge_send_event",
      "title": "Fire an event",
      "description": "Publishes a named event that starts a run of every function listening for it.",
      "input_schema": {
        "type": "object",
        "required": [
          "name"
        ],
        "properties": {
          "id": {
            "type": "string"
          },
          "data": {
            "type": "object",
            "default": {}
          },
          "name": {
            "type": "string"
          }
        },
        "additionalProperties": false
      },
      "annotations": {
        "title": "Fire an event",
        "readOnlyHint": false,
        "openWorldHint": false,
        "idempotentHint": false,
        "destructiveHint": false
      },
      "category": "Write",
      "risk": "medium",
      "signals": [
        "fan-out",
        "starts workflows"
      ],
      "in_catalogue": true,
      "summary": "Publishes a named event that starts a run of every function listening for it.",
      "changed_at": "[time]"
    }
    "#);

    let refreshed = api.call(Method::POST, &format!("{path}/refresh"), &acme.owner, None).await.expect(200);
    assert_eq!((&refreshed["added"], &refreshed["changed"]), (&json!([]), &json!([])));

    assert_eq!(api.call(Method::DELETE, &path, &acme.owner, None).await.status, 204);
    api.get(&path, &acme.owner).await.expect(404);
}

#[tokio::test]
async fn credentials_are_replaced_and_never_shown() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let path = format!("/api/v1/servers/{}", api.server(&acme, "Flowforge").await);

    let body = json!({"headers": [{"name": "Authorization", "value": "Bearer hunter2-hunter2"}]});
    let replaced = api.call(Method::PUT, &format!("{path}/credentials"), &acme.owner, Some(body)).await;
    assert!(!replaced.text.contains("hunter2"), "a credential is shown");
    assert_eq!(replaced.expect(200)["header_names"], json!(["authorization"]));

    let body = json!({"headers": []});
    let removed = api.call(Method::PUT, &format!("{path}/credentials"), &acme.owner, Some(body)).await;
    assert_eq!(removed.expect(200)["header_names"], json!([]));
}

#[tokio::test]
async fn a_server_is_renamed() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let path = format!("/api/v1/servers/{}", api.server(&acme, "Flowforge").await);
    let renamed = api.call(Method::PATCH, &path, &acme.owner, Some(json!({"name": "Workflows"}))).await;
    assert_eq!(renamed.expect(200)["name"], "Workflows");
}

#[tokio::test]
async fn an_address_that_can_not_be_called_is_refused_with_the_reason() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let mut said = Vec::new();
    for url in
        ["flowforge", "ftp://example.com", "https://ada:pw@example.com/mcp", "https://example.com/#x", ""]
    {
        let body = json!({"name": "x", "upstream_url": url});
        let refused = api.post("/api/v1/servers", &acme.owner, body).await;
        assert_eq!(refused.status, 422, "{url}");
        said.extend(refused.errors());
    }
    assert_snapshot!(said.join("\n"), @r"
    /upstream_url is not a complete address: write it like https://mcp.example.com/mcp
    /upstream_url starts with `ftp:`: only https and http can be called
    /upstream_url has a user name or password in it: remove it and store the credential as a header
    /upstream_url has a `#` part, which is never sent: remove it
    /upstream_url is not a complete address: write it like https://mcp.example.com/mcp
    ");
}

#[tokio::test]
async fn every_wrong_field_is_named_and_no_value_repeated() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let headers =
        json!([{"name": "Host", "value": "a"}, {"name": "X Y", "value": "b"}, {"value": "hunter2"}]);
    let body = json!({"name": "", "upstream_url": upstream().await, "headers": headers, "color": "red"});
    let refused = api.post("/api/v1/servers", &acme.owner, body).await;
    assert_snapshot!(refused.errors().join("\n"), @r"
    /headers/2/name is missing: add it
    /color is not a field here: remove it, or use one of `name`, `upstream_url`, `headers`, `catalogue_entry`
    ");

    let headers = json!([{"name": "Host", "value": "a"}, {"name": "X Y", "value": "hunter2\nhunter2"}]);
    let body = json!({"name": "", "upstream_url": upstream().await, "headers": headers});
    let refused = api.post("/api/v1/servers", &acme.owner, body).await;
    assert_snapshot!(refused.errors().join("\n"), @r"
    /name must not be empty: type at least one character
    /headers/0/name `Host` is set by Tollgate: use a header that carries a credential
    /headers/1/name `X Y` is not a header's name: use letters, digits and hyphens
    /headers/1/value has a line break or a character that no header may have: copy it again
    ");
    assert!(!refused.text.contains("hunter2"), "a credential is shown");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_a_report() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let report =
        api.post("/api/v1/servers/probe", &acme.owner, json!({"upstream_url": url})).await.expect(200);
    assert_snapshot!(shown(&report), @r#"
    {
      "state": "down",
      "message": "The server refuses connections: check the address, the port, and that the server is up.",
      "protocol_version": null,
      "upstream_name": null,
      "tools": []
    }
    "#);
}

#[tokio::test]
async fn the_catalogue_is_listed() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    api.get("/api/v1/catalogue", &acme.owner).await.expect(200);
    api.get("/api/v1/catalogue", "").await.expect(401);
}
