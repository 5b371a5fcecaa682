//! Which method may pass, in which era, and what must happen to it. What is not in the table is refused.

use http::StatusCode;

use crate::{Era, Malformed, Message, Request, code};

/// What the name of every notification begins with.
pub(crate) const NOTIFICATIONS: &str = "notifications/";
/// The handshake of the legacy era.
pub(crate) const INITIALIZE: &str = "initialize";

/// What the gateway does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Passes as it is.
    Forward,
    /// `tools/call`: the policy decides.
    Judge,
    /// `tools/list`: passes, and its answer is filtered.
    Filter,
    /// `initialize` or `server/discover`: passes, and its answer is rewritten by [`crate::handshake`].
    Handshake,
    /// Does not pass.
    Refuse,
}

/// Parts of the protocol beside tools that a server may be opened for. A policy can't judge them, and each is a way
/// around one (a resource or a prompt can hold what a tool would return), so that none is open unless named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surfaces {
    /// `resources/*`.
    pub resources: bool,
    /// `prompts/*`.
    pub prompts: bool,
    /// `completion/complete`.
    pub completions: bool,
}

/// Every request of every revision and of the tasks extension. None of them may come without an id.
const REQUESTS: [&str; 20] = [
    "completion/complete",
    INITIALIZE,
    "logging/setLevel",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "server/discover",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tools/call",
    "tools/list",
];

pub(crate) fn is_request(method: &str) -> bool {
    REQUESTS.contains(&method)
}

/// The rule for a message. `era` is that of the version which [`crate::headers::check`] settled.
pub fn rule(era: Era, message: &Message<'_>, open: Surfaces) -> Rule {
    match message {
        Message::Request(request) => request_rule(era, request, open),
        Message::Notification(notification) => notification_rule(era, &notification.method),
        Message::Response(_) => forward_if(era == Era::Legacy),
    }
}

fn request_rule(era: Era, request: &Request<'_>, open: Surfaces) -> Rule {
    use Era::{Legacy, Modern};
    match (era, request.method.as_ref()) {
        (_, "tools/call") => Rule::Judge,
        (_, "tools/list") => Rule::Filter,
        (Legacy, INITIALIZE) | (Modern, "server/discover") => Rule::Handshake,
        (Legacy, "ping" | "logging/setLevel") => Rule::Forward,
        (Legacy, "resources/subscribe" | "resources/unsubscribe")
        | (_, "resources/list" | "resources/templates/list" | "resources/read") => forward_if(open.resources),
        (_, "prompts/list" | "prompts/get") => forward_if(open.prompts),
        (_, "completion/complete") => forward_if(open.completions),
        (Modern, "subscriptions/listen") => forward_if(listens_within(request, open)),
        // Tasks are not offered (see `handshake`), and what nobody knows can't be policed.
        _ => Rule::Refuse,
    }
}

/// The legacy notifications that a client may send; the modern era has none over HTTP.
fn notification_rule(era: Era, method: &str) -> Rule {
    let known = matches!(
        method,
        "notifications/initialized"
            | "notifications/cancelled"
            | "notifications/progress"
            | "notifications/roots/list_changed"
    );
    forward_if(era == Era::Legacy && known)
}

/// Whether a `subscriptions/listen` asks only for changes of lists and, where they are open, of resources; never for tasks
/// or for what is not known.
fn listens_within(request: &Request<'_>, open: Surfaces) -> bool {
    let Some(filter) = request.param("notifications").and_then(json::Value::as_object) else { return false };
    filter.members().iter().all(|member| match member.key.as_ref() {
        "toolsListChanged" | "promptsListChanged" | "resourcesListChanged" => true,
        "resourceSubscriptions" => open.resources || member.value.as_array().is_some_and(<[_]>::is_empty),
        _ => false,
    })
}

fn forward_if(passes: bool) -> Rule {
    if passes { Rule::Forward } else { Rule::Refuse }
}

/// The answer to a message that [`rule`] refuses: `-32601`, with 404 in the modern era, else 200 for a request and 400 for
/// a notification. A `subscriptions/listen` is answered `-32602`, for only what it asks for is refused.
pub fn refusal(era: Era, message: &Message<'_>) -> Malformed {
    let not_found = |http_status| {
        let message = "this method does not exist, or does not pass this gateway";
        Malformed::new(code::METHOD_NOT_FOUND, "method", message).status(http_status)
    };
    match (era, message) {
        (Era::Modern, Message::Request(request)) if request.method == "subscriptions/listen" => {
            let message = "this gateway lets changes of lists be listened for: ask for nothing else";
            Malformed::params("subscription", message).for_id(Some(request.id.clone()))
        }
        (Era::Modern, Message::Request(request)) => {
            not_found(StatusCode::NOT_FOUND).for_id(Some(request.id.clone()))
        }
        (Era::Legacy, Message::Request(request)) => {
            not_found(StatusCode::OK).for_id(Some(request.id.clone()))
        }
        (Era::Modern, Message::Notification(_)) => not_found(StatusCode::NOT_FOUND),
        (Era::Legacy, Message::Notification(_)) => not_found(StatusCode::BAD_REQUEST),
        (_, Message::Response(_)) => {
            Malformed::request("response", "this revision has no requests of the server, so none to answer")
        }
    }
}
