//! Which request of the engine's REST interface a tool call becomes.
//!
//! As on the real server, an id goes into the path as it came: `../` leaves the collection, `#` cuts the rest off. Only
//! the name of a credential is encoded. What arrives is the address after the usual rules of a URL have been applied.

use http::Method;
use rmcp::model::JsonObject;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

const BASE: &str = "http://flowforge.internal/api/v1/";

/// Tool, method, path. `{x}` is argument `x` raw, `{x:encoded}` encoded. Of two rows of one tool, the first whose
/// arguments are all given is taken. Arguments not in the path become the query (GET) or the body.
const ROUTES: &[(&str, Method, &str)] = &[
    ("flowforge_send_event", Method::POST, "events"),
    ("flowforge_list_events", Method::GET, "events"),
    ("flowforge_get_event", Method::GET, "events/{event_id}"),
    ("flowforge_list_functions", Method::GET, "functions"),
    ("flowforge_get_function", Method::GET, "functions/{function_id}"),
    ("flowforge_create_function", Method::POST, "functions"),
    ("flowforge_create_inline_function", Method::POST, "functions/inline"),
    ("flowforge_update_function", Method::PATCH, "functions/{function_id}"),
    ("flowforge_delete_function", Method::DELETE, "functions/{function_id}"),
    ("flowforge_list_runs", Method::GET, "runs"),
    ("flowforge_get_run", Method::GET, "runs/{run_id}"),
    ("flowforge_cancel_run", Method::POST, "runs/{run_id}/cancel"),
    ("flowforge_retry_run", Method::POST, "runs/{run_id}/retry"),
    ("flowforge_replay_run", Method::POST, "runs/{run_id}/replay"),
    ("flowforge_get_run_steps", Method::GET, "runs/{run_id}/steps"),
    ("flowforge_get_run_tool_calls", Method::GET, "runs/{run_id}/tool-calls"),
    ("flowforge_list_tools", Method::GET, "tools"),
    ("flowforge_get_tool", Method::GET, "tools/{tool_name}"),
    ("flowforge_create_tool", Method::POST, "tools"),
    ("flowforge_update_tool", Method::PATCH, "tools/{tool_name}"),
    ("flowforge_delete_tool", Method::DELETE, "tools/{tool_name}"),
    ("flowforge_list_approvals", Method::GET, "approvals"),
    ("flowforge_approve_tool_call", Method::POST, "approvals/{approval_id}/approve"),
    ("flowforge_reject_tool_call", Method::POST, "approvals/{approval_id}/reject"),
    ("flowforge_list_agents", Method::GET, "agents"),
    ("flowforge_get_agent", Method::GET, "agents/{agent_id}"),
    ("flowforge_create_agent", Method::POST, "agents"),
    ("flowforge_update_agent", Method::PATCH, "agents/{agent_id}"),
    ("flowforge_set_agent_skills", Method::PUT, "agents/{agent_id}/skills"),
    ("flowforge_list_tasks", Method::GET, "tasks"),
    ("flowforge_get_task_board", Method::GET, "tasks/board"),
    ("flowforge_get_task", Method::GET, "tasks/{task_id}"),
    ("flowforge_create_task", Method::POST, "tasks"),
    ("flowforge_update_task", Method::PATCH, "tasks/{task_id}"),
    ("flowforge_delete_task", Method::DELETE, "tasks/{task_id}"),
    ("flowforge_list_skills", Method::GET, "skills"),
    ("flowforge_search_marketplace", Method::GET, "skills/market"),
    ("flowforge_preview_skill", Method::POST, "skills/preview"),
    ("flowforge_import_skill", Method::POST, "skills/import"),
    ("flowforge_set_function_skills", Method::PUT, "functions/{function_id}/skills"),
    ("flowforge_list_comments", Method::GET, "comments"),
    ("flowforge_add_comment", Method::POST, "comments"),
    ("flowforge_list_notifications", Method::GET, "notifications"),
    ("flowforge_mark_notifications_read", Method::POST, "notifications/{notification_id}/read"),
    ("flowforge_mark_notifications_read", Method::POST, "notifications/read-all"),
    ("flowforge_health_check", Method::GET, "health"),
    ("flowforge_get_stats", Method::GET, "stats"),
    ("flowforge_list_credentials", Method::GET, "credentials"),
    ("flowforge_create_credential", Method::POST, "credentials"),
    ("flowforge_delete_credential", Method::DELETE, "credentials/{name:encoded}"),
];

/// A request of the engine's REST interface.
#[derive(Debug, Clone)]
pub struct RestRequest {
    /// The method.
    pub method: Method,
    /// The address as it was put together, before the rules of a URL.
    pub raw: String,
    /// The address that is asked.
    pub url: Url,
    /// The arguments that are neither in the path nor in the query.
    pub body: JsonObject,
}

/// The request that a call of `tool` with checked `arguments` becomes; `None` when the address is no URL at all.
pub fn request(tool: &str, arguments: &JsonObject) -> Option<RestRequest> {
    let (method, (raw, rest)) = ROUTES
        .iter()
        .filter(|(name, ..)| *name == tool)
        .find_map(|(_, method, template)| Some((method.clone(), fill(template, arguments)?)))?;
    let mut url = Url::parse(&raw).ok()?;
    let mut body = JsonObject::new();
    if method == Method::GET && !rest.is_empty() {
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        url.query_pairs_mut().extend_pairs(rest.iter().map(|(key, value)| (key, plain(value))));
    } else {
        body = rest;
    }
    Some(RestRequest { method, raw, url, body })
}

/// The address of `template` with its arguments in it, and the other arguments; `None` when one of them is not given.
fn fill(template: &str, arguments: &JsonObject) -> Option<(String, JsonObject)> {
    let mut address = BASE.to_owned();
    let mut rest = arguments.clone();
    let mut parts = template.split(['{', '}']);
    address.push_str(parts.next()?);
    while let (Some(slot), Some(literal)) = (parts.next(), parts.next()) {
        let (name, encoded) = slot.strip_suffix(":encoded").map_or((slot, false), |name| (name, true));
        let value = rest.shift_remove(name)?;
        let value = value.as_str()?;
        if encoded {
            address.extend(byte_serialize(value.as_bytes()));
        } else {
            address.push_str(value);
        }
        address.push_str(literal);
    }
    Some((address, rest))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::catalogue;

    fn asked(tool: &str, arguments: Value) -> String {
        let Value::Object(arguments) = arguments else { panic!("an object") };
        let request = request(tool, &arguments).unwrap();
        let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{} {}{query}", request.method, request.url.path())
    }

    #[test]
    fn every_tool_has_a_route_and_no_route_is_left_over() {
        let mut routed: Vec<_> = ROUTES.iter().map(|(tool, ..)| *tool).collect();
        routed.dedup();
        let mut listed: Vec<_> = catalogue::tools().iter().map(|tool| tool.name.as_str()).collect();
        routed.sort_unstable();
        listed.sort_unstable();
        assert_eq!(routed, listed);
    }

    #[test]
    fn arguments_go_into_path_query_or_body() {
        assert_eq!(asked("flowforge_get_run", json!({ "run_id": "run-0001" })), "GET /api/v1/runs/run-0001");
        assert_eq!(
            asked("flowforge_list_runs", json!({ "status": "failed", "limit": 5 })),
            "GET /api/v1/runs?status=failed&limit=5"
        );
        assert_eq!(
            asked("flowforge_mark_notifications_read", json!({})),
            "POST /api/v1/notifications/read-all"
        );
        let Value::Object(arguments) = json!({ "task_id": "task-0001", "title": "x" }) else {
            unreachable!()
        };
        assert_eq!(request("flowforge_update_task", &arguments).unwrap().body.len(), 1);
    }

    #[test]
    fn an_id_is_put_raw_into_the_path() {
        assert_eq!(
            asked("flowforge_get_run", json!({ "run_id": "../credentials" })),
            "GET /api/v1/credentials"
        );
        assert_eq!(asked("flowforge_get_run", json!({ "run_id": "%2e%2e/stats" })), "GET /api/v1/stats");
        assert_eq!(asked("flowforge_get_run", json!({ "run_id": "..\\stats" })), "GET /api/v1/stats");
        assert_eq!(
            asked("flowforge_retry_run", json!({ "run_id": "run-0003/cancel#" })),
            "POST /api/v1/runs/run-0003/cancel"
        );
        assert_eq!(
            asked("flowforge_delete_credential", json!({ "name": "../tasks/task-0001" })),
            "DELETE /api/v1/credentials/..%2Ftasks%2Ftask-0001"
        );
    }
}
