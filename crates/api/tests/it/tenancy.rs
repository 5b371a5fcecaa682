//! Who may do what, of every operation in the document: nobody without credentials, no viewer what writes, and nobody
//! anything with the id of another organisation.

use axum::http::Method;
use serde_json::{Value, json};

use crate::conformity::operations;
use crate::decisions::five;
use crate::world::{PASSWORD, read_only};
use crate::{Api, Organisation};

/// Operations that write nothing and are no `GET`.
const READING: [&str; 3] = ["check_policy", "simulate_call", "compare_tools"];
/// `GET`s that a viewer may not do.
const ADMINS_ONLY: [&str; 2] = ["list_keys", "list_admin_log"];

/// One thing of each kind, all of one organisation.
struct Things {
    server: String,
    policy: String,
    grant: String,
    key: String,
    decision: String,
    approval: String,
}

impl Things {
    async fn of(api: &Api, organisation: &Organisation) -> Self {
        let server = api.server(organisation, "Flowforge").await;
        let policy = api.policy(organisation, &server).await;
        let grant = api.grant(organisation, &server, &policy).await;
        api.key(organisation, "viewer").await;
        let keys = api.get("/api/v1/keys", &organisation.owner).await.expect(200);
        let key = keys["items"][0]["id"].as_str().unwrap().to_owned();
        let decision = five(api, organisation).await[0].id.to_string();
        let approval = api.question(organisation, &server, &grant, r#"{"run_id":"run-1"}"#).await;
        Self { server, policy, grant, key, decision, approval }
    }

    /// The path with their ids in it.
    fn path(&self, template: &str) -> String {
        let id = match template.split('/').nth(3).unwrap() {
            "servers" => &self.server,
            "policies" => &self.policy,
            "grants" => &self.grant,
            "keys" => &self.key,
            "audit" => &self.decision,
            "approvals" => &self.approval,
            other => panic!("no id for `{other}`: add one here"),
        };
        let query = if template.ends_with("/diff") { "?from=1&to=1" } else { "" };
        template.replace("{id}", id).replace("{version}", "1").replace("{connection}", &self.grant) + query
    }
}

/// A body that the operation takes; none where it takes none.
fn body(operation: &Value) -> Option<Value> {
    operation.get("requestBody")?;
    Some(match operation["operationId"].as_str().unwrap() {
        "rename_organisation" | "rename_policy" | "update_server" => json!({"name": "x"}),
        "create_key" => json!({"label": "x", "role": "viewer"}),
        "probe_server" => json!({"upstream_url": "http://127.0.0.1:9/mcp"}),
        "register_server" => json!({"name": "x", "upstream_url": "http://127.0.0.1:9/mcp"}),
        "change_protocol" => json!({"custom_methods": ["acme/x"], "pin_tools": true}),
        "approve_tools" => json!({"tools": []}),
        "replace_credentials" => json!({"headers": []}),
        "change_login" => json!({"login": "shared"}),
        "make_connect_link" | "approve_call" | "refuse_call" => json!({}),
        "create_policy" => json!({"name": "x", "document": read_only()}),
        "check_policy" | "compare_tools" => json!({"document": read_only()}),
        "simulate_call" => json!({"document": read_only(), "tool": "x"}),
        "save_version" => json!({"expected_version": 1, "document": {"version": "1", "default": "deny"}}),
        "mint_grant" => json!({"label": "x", "identity": "x"}),
        "reveal_grant" => json!({"password": PASSWORD}),
        "attach_policy" => json!({"policy_id": null}),
        "set_grant_expiry" => json!({"expires_at": null}),
        other => panic!("no body for `{other}`: add one here"),
    })
}

/// Operations that ask for an organisation's credentials.
fn of_organisations() -> Vec<(Method, String, &'static Value)> {
    let asks = |(_, _, operation): &(String, String, &Value)| operation.get("security").is_none();
    let all = operations().into_iter().filter(asks);
    let all: Vec<_> =
        all.map(|(method, path, operation)| (method.parse().unwrap(), path, operation)).collect();
    assert!(all.len() > 35, "{}", all.len());
    all
}

#[tokio::test]
async fn nobody_does_anything_without_credentials() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let things = Things::of(&api, &acme).await;
    let forged = {
        let (head, _) = acme.owner.rsplit_once('.').unwrap();
        format!("{head}.AAAA")
    };
    for (method, template, operation) in of_organisations() {
        let path = if template.contains("{id}") { things.path(&template) } else { template };
        for token in ["", forged.as_str(), acme.session.as_str()] {
            let refused = api.call(method.clone(), &path, token, body(operation)).await;
            assert_eq!(refused.status, 401, "{method} {path}: {}", refused.text);
            assert!(refused.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_viewer_writes_nothing() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let things = Things::of(&api, &acme).await;
    let viewer = api.key(&acme, "viewer").await;
    for (method, template, operation) in of_organisations() {
        let path = if template.contains("{id}") { things.path(&template) } else { template };
        let name = operation["operationId"].as_str().unwrap();
        let reads = (method == Method::GET || READING.contains(&name)) && !ADMINS_ONLY.contains(&name);
        let answer = api.call(method.clone(), &path, &viewer, body(operation)).await;
        let expected = if reads { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{method} {path}: {}", answer.text);
    }
    // Nothing was written on the way.
    let server = format!("/api/v1/servers/{}", things.server);
    assert_eq!(api.get(&server, &acme.owner).await.expect(200)["name"], "Flowforge");
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let api = Api::start().await;
    let (acme, other) = (api.organisation("Acme").await, api.organisation("Other").await);
    let things = Things::of(&api, &acme).await;
    let mut tried = 0;
    for (method, template, operation) in of_organisations() {
        if !template.contains("{id}") {
            continue;
        }
        let path = things.path(&template);
        let refused = api.call(method.clone(), &path, &other.owner, body(operation)).await;
        assert_eq!(refused.status, 404, "{method} {path}: {}", refused.text);
        tried += 1;
    }
    assert!(tried > 25, "{tried}");
    // It is still there for whose it is.
    for path in [
        format!("/api/v1/servers/{}", things.server),
        format!("/api/v1/policies/{}", things.policy),
        format!("/api/v1/grants/{}", things.grant),
    ] {
        api.get(&path, &acme.owner).await.expect(200);
    }
    let approval = api.get(&format!("/api/v1/approvals/{}", things.approval), &acme.owner).await.expect(200);
    assert_eq!(approval["state"], "pending");
    for list in ["/api/v1/servers", "/api/v1/approvals", "/api/v1/policies", "/api/v1/grants", "/api/v1/keys"]
    {
        assert_eq!(api.get(list, &other.owner).await.expect(200)["items"], json!([]), "{list}");
    }
}
