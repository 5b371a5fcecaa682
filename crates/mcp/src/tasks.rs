//! Tasks: 2025-11-25 (`params.task`, `tasks/result`, `tasks/list`) and the extension of 2026-07-28 (`resultType: "task"`,
//! `tasks/update`). Who holds a task's id can read it, and the upstream takes all our grants for one: so the client holds
//! another id, and here is where ids stand in messages of either side.

use std::collections::HashMap;

use http::StatusCode;
use json::Value;

use crate::edit::{Edits, json_text};
use crate::{Era, Malformed, Message, Request, code, listen};

/// The extension for tasks, in the `extensions` of modern capabilities.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";
/// Key of the task that a message belongs to, in its `_meta`.
const META_RELATED: &str = "io.modelcontextprotocol/related-task";

/// What a task is called on one side, to what it is called on the other.
pub type Names = HashMap<String, String>;

/// The ids of tasks that a client's message names, as it wrote them.
///
/// # Errors
/// 400 `-32602`: one that is not a text, or a `tasks/*` without; 400 `-32021`: a modern `tasks/*` of a client that does not
/// say that it works with tasks.
pub fn named_by<'v>(message: &'v Message<'_>) -> Result<Vec<&'v str>, Malformed> {
    let id = match message {
        Message::Request(request) => Some(&request.id),
        Message::Notification(_) | Message::Response(_) => None,
    };
    if let Message::Request(request) = message
        && request.era == Era::Modern
        && request.method.starts_with("tasks/")
        && !are_offered(request)
    {
        return Err(undeclared(request));
    }
    let places = places_of(message);
    let texts: Vec<_> = places.iter().filter_map(|place| place.as_str()).collect();
    let needs_one = matches!(message, Message::Request(request)
        if request.method.starts_with("tasks/") && request.method != "tasks/list" && request.param("taskId").is_none());
    if needs_one || texts.len() != places.len() {
        let message = "`taskId` must be the id of a task";
        return Err(Malformed::params("task id", message).for_id(id.cloned()));
    }
    Ok(texts)
}

/// The answer to a client that asks for a task without the capability: what a server that has tasks says.
fn undeclared(request: &Request<'_>) -> Malformed {
    let message = "this method needs the extension for tasks: declare it in the client's capabilities";
    let required = serde_json::json!({ "requiredCapabilities": { "extensions": { EXTENSION: {} } } });
    Malformed {
        data: Some(Box::new(required)),
        ..Malformed::new(code::MISSING_CLIENT_CAPABILITY, "undeclared capability", message)
            .for_id(Some(request.id.clone()))
    }
}

/// The answer to an id that is not of a task of this grant: `-32602`, the same for one that there is not.
pub fn not_found(era: Era, request: Option<&Request<'_>>) -> Malformed {
    let status =
        if era == Era::Legacy && request.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    Malformed::params("unknown task", "Task not found")
        .status(status)
        .for_id(request.map(|request| request.id.clone()))
}

/// Puts the upstream's names in the place of the client's.
pub(crate) fn rename(message: &Message<'_>, names: &Names, edits: &mut Edits) {
    for place in places_of(message) {
        if let Some(name) = place.as_str().and_then(|id| names.get(id)) {
            edits.replace(place.span, json_text(name));
        }
    }
}

/// Whether a modern request says that its client works with tasks.
pub fn are_offered(request: &Request<'_>) -> bool {
    let capabilities = request.meta(crate::envelope::META_CAPABILITIES);
    capabilities
        .and_then(|capabilities| capabilities.get("extensions")?.get(EXTENSION))
        .is_some_and(|offer| offer.as_object().is_some())
}

fn places_of<'v, 'a>(message: &'v Message<'a>) -> Vec<&'v Value<'a>> {
    let mut places = Vec::new();
    match message {
        Message::Request(request) => {
            if request.method.starts_with("tasks/") {
                places.extend(request.param("taskId"));
            } else if request.method == crate::methods::LISTEN {
                places.extend(listen::task_ids(request));
            }
            places.extend(request.params.as_ref().and_then(related));
        }
        Message::Notification(notification) => places.extend(notification.params.as_ref().and_then(related)),
        Message::Response(response) => {
            let (Ok(outcome) | Err(outcome)) = &response.outcome;
            places.extend(related(outcome));
        }
    }
    places
}

/// The ids in one message of the upstream: those that the message is about, and those in a list, which can be left out.
pub(crate) struct Places<'v, 'a> {
    pub(crate) own: Vec<&'v Value<'a>>,
    pub(crate) list: Option<&'v Value<'a>>,
}

/// Where a message of the upstream names tasks. `replies` says that a result is that of a request about tasks, or of one
/// that could be answered with a task; elsewhere `taskId` is a word like any other.
pub(crate) fn places<'v, 'a>(message: &'v Value<'a>, replies: bool) -> Places<'v, 'a> {
    let mut found = Places { own: Vec::new(), list: None };
    if let Some(params) = message.get("params") {
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        if method.starts_with("notifications/tasks") {
            found.own.extend(params.get("taskId"));
        }
        if method == "notifications/subscriptions/acknowledged" {
            let ids = params.get("notifications").and_then(|filter| filter.get("taskIds"));
            found.own.extend(ids.and_then(Value::as_array).unwrap_or_default());
        }
        found.own.extend(related(params));
    }
    if let Some(result) = message.get("result") {
        if replies {
            found.own.extend(result.get("taskId"));
            found.own.extend(result.get("task").and_then(|task| task.get("taskId")));
            found.list = result.get("tasks").filter(|tasks| tasks.as_array().is_some());
            // The result of the call, inside of that of `tasks/get`.
            found.own.extend(result.get("result").and_then(related));
        }
        found.own.extend(related(result));
    }
    found
}

fn related<'v, 'a>(params: &'v Value<'a>) -> Option<&'v Value<'a>> {
    params.get("_meta")?.get(META_RELATED)?.get("taskId")
}
