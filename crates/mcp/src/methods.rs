//! Which method may pass, in which era, and what must happen to it. What is not in the table is refused.

use domain::Surface;
use http::StatusCode;

use crate::{Era, Malformed, Message, Request, code};

/// What the name of every notification begins with.
pub(crate) const NOTIFICATIONS: &str = "notifications/";
/// The handshake of the legacy era.
pub(crate) const INITIALIZE: &str = "initialize";
/// The stream of changes of the modern era.
pub(crate) const LISTEN: &str = "subscriptions/listen";

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
    /// `subscriptions/listen`: passes less what may not be listened for ([`crate::listen`]).
    Listen,
    /// A part of the protocol beside tools: the policy opens or closes it.
    Surface(Surface),
    /// `tasks/*`: for the tasks of the grant alone ([`crate::tasks`]).
    Task(TaskMethod),
    /// Passes because the server's settings list it.
    Custom,
    /// Does not pass.
    Refuse,
}

/// What is asked about tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskMethod {
    /// `tasks/get`.
    Get,
    /// `tasks/result`, of the legacy era.
    Result,
    /// `tasks/update`, of the modern era.
    Update,
    /// `tasks/cancel`.
    Cancel,
    /// `tasks/list`, of the legacy era.
    List,
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
    LISTEN,
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tools/call",
    "tools/list",
];

/// Requests of servers, in every revision that has them.
const SERVER_REQUESTS: [&str; 3] = ["sampling/createMessage", "elicitation/create", "roots/list"];

pub(crate) fn is_request(method: &str) -> bool {
    REQUESTS.contains(&method)
}

/// Whether a server's settings may list the method: no revision of the protocol knows it, so that listing it can't open what
/// a policy closes. Names of the protocol are reserved in any case of letters.
pub fn may_be_custom(method: &str) -> bool {
    const RESERVED: [&str; 12] = [
        "completion/",
        "elicitation/",
        "initialize",
        "logging/",
        "ping",
        "prompts/",
        "resources/",
        "roots/",
        "sampling/",
        "server/",
        "subscriptions/",
        "tasks/",
    ];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/$".contains(&byte);
    let starts =
        |name: &str, with: &str| name.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    let bare = if starts(method, NOTIFICATIONS) { &method[NOTIFICATIONS.len()..] } else { method };
    let known = ["initialized", "cancelled", "progress", "message", "rpc."];
    (1..=128).contains(&method.len())
        && method.bytes().all(plain)
        && !bare.is_empty()
        && !RESERVED.iter().chain(&["tools/"]).chain(&known).any(|with| starts(bare, with))
}

/// The rule for a message. `era` is that of the version which [`crate::headers::check`] settled; `custom` are the methods that
/// the server's settings list.
pub fn rule(era: Era, message: &Message<'_>, custom: &[String]) -> Rule {
    let listed = |method: &str| may_be_custom(method) && custom.iter().any(|listed| listed == method);
    let rule = match message {
        Message::Request(request) => request_rule(era, request),
        Message::Notification(notification) => notification_rule(era, &notification.method),
        Message::Response(_) => return forward_if(era == Era::Legacy),
    };
    match message {
        Message::Request(Request { method, .. }) if rule == Rule::Refuse && listed(method) => Rule::Custom,
        Message::Notification(notification) if rule == Rule::Refuse && listed(&notification.method) => {
            Rule::Custom
        }
        _ => rule,
    }
}

fn request_rule(era: Era, request: &Request<'_>) -> Rule {
    use Era::{Legacy, Modern};
    match (era, request.method.as_ref()) {
        (_, "tools/call") => Rule::Judge,
        (_, "tools/list") => Rule::Filter,
        (Legacy, INITIALIZE) | (Modern, "server/discover") => Rule::Handshake,
        (Legacy, "ping" | "logging/setLevel") => Rule::Forward,
        (Legacy, "resources/subscribe" | "resources/unsubscribe")
        | (_, "resources/list" | "resources/templates/list" | "resources/read") => {
            Rule::Surface(Surface::Resources)
        }
        (_, "prompts/list" | "prompts/get") => Rule::Surface(Surface::Prompts),
        (_, "completion/complete") => Rule::Surface(Surface::Completion),
        (Modern, LISTEN) => Rule::Listen,
        (_, "tasks/get") => Rule::Task(TaskMethod::Get),
        (_, "tasks/cancel") => Rule::Task(TaskMethod::Cancel),
        (Legacy, "tasks/result") => Rule::Task(TaskMethod::Result),
        (Legacy, "tasks/list") => Rule::Task(TaskMethod::List),
        (Modern, "tasks/update") => Rule::Task(TaskMethod::Update),
        // What nobody knows can't be policed.
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

fn forward_if(passes: bool) -> Rule {
    if passes { Rule::Forward } else { Rule::Refuse }
}

/// What a request of the server is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Nothing that needs a rule: `ping`.
    Nothing,
    /// A part of the protocol that the policy opens or closes.
    Surface(Surface),
    /// What nobody knows, unless the server's settings list it.
    Unknown,
}

/// What a request of the server is about.
pub fn asked(method: &str) -> Asked {
    match method {
        "ping" => Asked::Nothing,
        "sampling/createMessage" => Asked::Surface(Surface::Sampling),
        "elicitation/create" => Asked::Surface(Surface::Elicitation),
        "roots/list" => Asked::Surface(Surface::Roots),
        _ => Asked::Unknown,
    }
}

/// The method that a server asks something of its client with.
pub fn asking(surface: Surface) -> Option<&'static str> {
    SERVER_REQUESTS.into_iter().find(|method| asked(method) == Asked::Surface(surface))
}

/// The answer to a message that [`rule`] refuses: `-32601`, with 404 in the modern era, else 200 for a request and 400 for
/// a notification.
pub fn refusal(era: Era, message: &Message<'_>) -> Malformed {
    let not_found = |http_status| {
        let message = "this method does not exist, or does not pass this gateway";
        Malformed::new(code::METHOD_NOT_FOUND, "method", message).status(http_status)
    };
    match message {
        Message::Request(request) => not_found(status(era)).for_id(Some(request.id.clone())),
        Message::Notification(_) if era == Era::Legacy => not_found(StatusCode::BAD_REQUEST),
        Message::Notification(_) => not_found(StatusCode::NOT_FOUND),
        Message::Response(_) => {
            Malformed::request("response", "this revision has no requests of the server, so none to answer")
        }
    }
}

/// The HTTP status of a request's `-32601`: 404 in the modern era, 200 in the legacy.
pub fn status(era: Era) -> StatusCode {
    match era {
        Era::Modern => StatusCode::NOT_FOUND,
        Era::Legacy => StatusCode::OK,
    }
}
