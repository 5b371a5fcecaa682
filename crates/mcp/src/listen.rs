//! `subscriptions/listen` (2026-07-28): what a client may listen for, what the upstream acknowledged, and what the gateway
//! says on such a stream by itself.

use domain::{Surface, Surfaces};
use json::Value;
use serde_json::json;

use crate::edit::Edits;
use crate::{Id, Malformed, Request};

/// Key of the subscription in the `_meta` of every message of its stream.
const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Checks the filter of a `subscriptions/listen`.
///
/// # Errors
/// 400 `-32602`: no filter, or one that asks for what is not known.
pub fn check(request: &Request<'_>) -> Result<(), Malformed> {
    let refused = |message| Err(Malformed::params("subscription", message).for_id(Some(request.id.clone())));
    let Some(filter) = request.param("notifications").and_then(Value::as_object) else {
        return refused("`params.notifications` must be an object");
    };
    let known = filter.members().iter().all(|member| match member.key.as_ref() {
        "toolsListChanged" | "promptsListChanged" | "resourcesListChanged" => {
            member.value.as_bool().is_some()
        }
        "resourceSubscriptions" | "taskIds" => {
            member.value.as_array().is_some_and(|all| all.iter().all(|one| one.as_str().is_some()))
        }
        _ => false,
    });
    if known {
        return Ok(());
    }
    refused(
        "changes of lists, resources and tasks can be listened for: ask for nothing else, in the form that is specified",
    )
}

/// The ids of tasks in the filter.
pub(crate) fn task_ids<'v, 'a>(request: &'v Request<'a>) -> &'v [Value<'a>] {
    let ids = request.param("notifications").and_then(|filter| filter.get("taskIds"));
    ids.and_then(Value::as_array).unwrap_or_default()
}

/// Takes out of the filter what is closed. The acknowledgement then says so.
pub(crate) fn close(request: &Request<'_>, open: Surfaces, edits: &mut Edits) {
    let Some(filter) = request.param("notifications") else { return };
    edits.retain_members(filter, |name| match name {
        "promptsListChanged" => open.has(Surface::Prompts),
        "resourcesListChanged" | "resourceSubscriptions" => open.has(Surface::Resources),
        _ => true,
    });
}

/// Whether a message acknowledges that changes of the list of tools are told.
pub(crate) fn acknowledges_tools(message: &Value<'_>) -> bool {
    let acknowledges =
        message.get("method").and_then(Value::as_str) == Some("notifications/subscriptions/acknowledged");
    let told = message.get("params").and_then(|params| params.get("notifications"));
    acknowledges && told.and_then(|told| told.get("toolsListChanged")).and_then(Value::as_bool) == Some(true)
}

/// Tells that the list of tools has changed: on the stream of a subscription, or on that of a session.
pub fn tools_changed(subscription: Option<&Id>) -> Vec<u8> {
    let mut message = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
    if let Some(id) = subscription {
        message["params"] = json!({ "_meta": { META_SUBSCRIPTION: id.to_json() } });
    }
    message.to_string().into_bytes()
}

/// Ends a subscription in good order.
pub fn ended(subscription: &Id) -> Vec<u8> {
    let id = subscription.to_json();
    let result = json!({ "resultType": "complete", "_meta": { META_SUBSCRIPTION: id } });
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string().into_bytes()
}
