//! `/api/v1/servers/{id}/policies/simulate` and `/matrix`, and `/api/v1/audit/decisions/{id}/call`.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::decisions::five;
use crate::world::read_only;
use crate::{Api, Organisation, shown};

/// An API with an organisation and a server; the path of the server's policies.
async fn with_server() -> (Api, Organisation, String) {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let server = api.server(&acme, "Flowforge").await;
    (api, acme, format!("/api/v1/servers/{server}/policies"))
}

fn document() -> Value {
    json!({
        "version": "1", "default": "deny", "hide": ["flowforge_delete_*"],
        "tools": {
            "flowforge_get_*": {},
            "flowforge_retry_run": {
                "require": [{"path": "args.run_id", "op": "regex", "value": "^run-[0-9]+$"}],
                "limits": [{"counter": "retries", "window": "hour", "max": 5, "key": "args.run_id"}]
            },
            "flowforge_send_event": {
                "approve_if": [{"conditions": [{"path": "grant.identity", "op": "eq", "value": "ci@example.com"}],
                                "message": "Events of CI are looked at.", "expires_in": "1h"}]
            },
            "flowforge_cancel_run": {"action": "deny", "mode": "shadow"}
        }
    })
}

#[tokio::test]
async fn a_document_is_tried_on_a_call() {
    let (api, acme, policies) = with_server().await;
    let path = format!("{policies}/simulate");
    let tried = |tool: &str, arguments: Value, context: Value| {
        let body = json!({"document": document(), "tool": tool, "arguments": arguments, "context": context});
        let (api, path, token) = (&api, &path, &acme.owner);
        async move { api.post(path, token, body).await.expect(200) }
    };
    assert_snapshot!(shown(&tried("flowforge_retry_run", json!({"run_id": "run-7"}), json!({})).await), @r#"
    {
      "outcome": "allow",
      "rule": null,
      "pointer": "/tools/flowforge_retry_run",
      "message": null,
      "conditions": [],
      "expires_in": null,
      "charges": [
        {
          "rule": "/tools/flowforge_retry_run/limits/0",
          "counter": "retries",
          "amount_micros": 1000000,
          "max_micros": 5000000,
          "scope": "grant",
          "key": "\"run-7\"",
          "limit": "5 an hour for each grant and args.run_id",
          "shadow": false
        }
      ],
      "shadow": null,
      "tool_known": true
    }
    "#);
    let pending = json!({"grant": {"label": "CI bot", "identity": "ci@example.com"}, "session": true});
    assert_snapshot!(shown(&tried("flowforge_send_event", json!({}), pending).await), @r#"
    {
      "outcome": "pending",
      "rule": "/tools/flowforge_send_event/approve_if/0",
      "pointer": "/tools/flowforge_send_event/approve_if/0",
      "message": "Events of CI are looked at.",
      "conditions": [
        "/tools/flowforge_send_event/approve_if/0/conditions/0"
      ],
      "expires_in": 3600,
      "charges": [],
      "shadow": null,
      "tool_known": true
    }
    "#);
    let shadow = tried("flowforge_cancel_run", json!({}), json!({})).await;
    assert_eq!(shadow["outcome"], "allow");
    assert_eq!(shadow["shadow"]["outcome"], "deny");
    assert_eq!(shadow["shadow"]["rule"], "/tools/flowforge_cancel_run/action");
    let hidden = tried("flowforge_delete_run", json!({}), json!({})).await;
    assert_eq!((&hidden["outcome"], &hidden["rule"]), (&json!("hidden"), &json!("(hidden)")));
    assert_eq!((&hidden["pointer"], &hidden["tool_known"]), (&json!("/hide/0"), &json!(false)));
}

#[tokio::test]
async fn what_can_not_be_tried_is_named() {
    let (api, acme, policies) = with_server().await;
    let path = format!("{policies}/simulate");
    for (body, expected) in [
        (
            json!({"document": document(), "tool": "x", "arguments": []}),
            "/arguments must be an object, not a list",
        ),
        (
            json!({"document": document(), "tool": "x", "context": {"grant": {"name": "x"}}}),
            "/context/grant/name is not a field here: remove it, or use one of `label`, `identity`",
        ),
        (
            json!({"document": document(), "tool": "x", "context": {"session": "yes"}}),
            "/context/session must be true or false, not a string",
        ),
        (
            json!({"document": {"version": "1"}, "tool": "x"}),
            "/document `default` is missing: write \"default\": \"deny\"",
        ),
        (json!({"document": document()}), "/tool is missing: add it"),
    ] {
        let refused = api.post(&path, &acme.owner, body).await;
        assert_eq!((refused.status, refused.errors()), (422, vec![expected.to_owned()]));
    }
}

#[tokio::test]
async fn all_tools_are_compared_with_what_is_in_force() {
    let (api, acme, policies) = with_server().await;
    let server = policies.split('/').nth(4).unwrap();
    let policy = api.policy(&acme, server).await;
    let path = format!("{policies}/matrix");
    let body = json!({"document": document(), "beside": policy});
    let matrix = api.post(&path, &acme.owner, body).await.expect(200);
    let tools = matrix["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 49);
    let counted: u64 =
        ["opens", "closes", "changes", "same"].map(|name| matrix[name].as_u64().unwrap()).iter().sum();
    assert_eq!(counted, 49);
    assert_eq!((&matrix["beside"]["name"], &matrix["beside"]["version"]), (&json!("read only"), &json!(1)));
    let row = |tool: &str| tools.iter().find(|row| row["tool"] == tool).unwrap();
    assert_snapshot!(shown(row("flowforge_retry_run")), @r#"
    {
      "tool": "flowforge_retry_run",
      "category": "Execute",
      "in_force": {
        "outcome": "deny",
        "rule": "(default deny)",
        "shadow": null,
        "effect": "deny",
        "limits": []
      },
      "draft": {
        "outcome": "deny",
        "rule": "/tools/flowforge_retry_run/require/0",
        "shadow": null,
        "effect": "conditional",
        "limits": [
          "5 an hour for each grant and args.run_id"
        ]
      },
      "difference": "changes"
    }
    "#);
    assert_eq!(row("flowforge_list_runs")["difference"], "closes");
    assert_eq!(row("flowforge_send_event")["difference"], "opens");
    assert_eq!(row("flowforge_get_run")["difference"], "same");
    assert_eq!(row("flowforge_cancel_run")["draft"]["shadow"], "deny");

    let context = json!({"grant": {"identity": "ci@example.com"}});
    let body = json!({"document": document(), "beside": policy, "context": context});
    let matrix = api.post(&path, &acme.owner, body).await.expect(200);
    let event = matrix["tools"].as_array().unwrap().iter().find(|row| row["tool"] == "flowforge_send_event");
    assert_eq!(event.unwrap()["draft"]["outcome"], "pending");

    let alone = api.post(&path, &acme.owner, json!({"document": document()})).await.expect(200);
    assert_eq!((&alone["beside"], &alone["closes"]), (&Value::Null, &json!(0)));
    let other = api.organisation("Other").await;
    let foreign = api.server(&other, "Flowforge").await;
    let theirs = api.policy(&other, &foreign).await;
    for beside in [theirs.as_str(), "01890a5d-ac96-774b-bcce-b302099a8057", "x"] {
        let body = json!({"document": read_only(), "beside": beside});
        let refused = api.post(&path, &acme.owner, body).await;
        assert_eq!(refused.status, 422, "{beside}");
        assert!(refused.errors()[0].starts_with("/beside "), "{:?}", refused.errors());
    }
}

#[tokio::test]
async fn a_decision_gives_its_call_without_the_values() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let decision = five(&api, &acme).await[0].id;
    let path = format!("/api/v1/audit/decisions/{decision}/call");
    let call = api.get(&path, &acme.owner).await.expect(200);
    assert_snapshot!(shown(&call), @r#"
    {
      "server_id": "[id]",
      "tool": "flowforge_tool_0",
      "arguments": {
        "run_id": "<run_id>"
      },
      "context": {
        "grant": {
          "label": "CI bot",
          "identity": "ci@example.com"
        },
        "client": {
          "name": "curl",
          "version": ""
        },
        "server": {
          "name": "Flowforge"
        },
        "session": false
      }
    }
    "#);
    let server = api.server(&acme, "Flowforge").await;
    let body = json!({"document": read_only(), "tool": call["tool"], "arguments": call["arguments"], "context": call["context"]});
    api.post(&format!("/api/v1/servers/{server}/policies/simulate"), &acme.owner, body).await.expect(200);
}
