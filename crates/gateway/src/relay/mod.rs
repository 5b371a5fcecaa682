//! The way back: what the upstream answers, as it comes. Lists are filtered, handshakes rewritten, sessions and states
//! sealed; the rest passes byte for byte. Streams are never held back, and have no end but their own.

mod events;
mod failure;
mod incoming;
mod json;
mod pass;
mod questions;
mod state;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mcp::handshake::Initialized;
use mcp::headers::{Content, content_of, to_client};
use mcp::tasks::{self, Names};
use mcp::{ClientInfo, Era, Id, Message, Rule, TaskMethod, Version, listen};
use storage::TakenApproval;

pub(crate) use self::state::Brought;
use self::state::StateSeal;
use crate::arrival::Arrival;
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::judge::Ask;
use crate::login::Expected;
use crate::refusal::Refusal;
use crate::sessions::{self, SESSION, Session};
use crate::state::{Gateway, GatewayState};
use crate::upstream::Answer;

/// Bytes of an answer, or of one event, that is read whole because it may have to be rewritten.
const MAX_REPLY: usize = 16 * 1024 * 1024;

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What is expected back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The result of a `tools/call`.
    Call,
    /// A `tools/list`.
    List,
    /// The answer to `initialize`.
    Initialize,
    /// The answer to `server/discover`.
    Discover,
    /// What a client asks of a part of the protocol beside tools.
    Surface,
    /// What it asks about tasks.
    Task(TaskMethod),
    /// Any other request's answer.
    Other,
    /// The stream that a modern client listens to.
    Listen,
    /// Nothing: it was a notification, or the client's answer to the server.
    Nothing,
    /// The stream of a GET.
    Stream,
    /// The end of a session.
    Delete,
}

/// What is expected back, and from whom.
pub(crate) struct Reply {
    kind: Kind,
    version: Version,
    /// Of the request that is answered.
    id: Option<Id>,
    session: Option<Session>,
    /// What the upstream calls the session that this answer opens.
    opened: Option<HeaderValue>,
    client: Option<ClientInfo>,
    /// Seals the `requestState` of a modern request.
    seal: Option<StateSeal>,
    /// By which the request goes on, where a person had to approve it.
    approval: Option<TakenApproval>,
    /// The tool called, or that made the task which is asked about.
    tool: Option<String>,
    trace_id: Option<String>,
    /// The upstream's names of tasks to the client's, as far as they are known.
    names: Names,
    /// The call may be answered with a task.
    wants_task: bool,
    /// Changes of the list of tools are told on this subscription.
    acknowledged: bool,
}

impl Reply {
    /// The reply to a message.
    pub fn to(message: &Message<'_>, rule: Rule, ask: &Ask<'_>, arrival: &Arrival) -> Self {
        let kind = match message {
            Message::Request(request) => match (rule, request.method.as_ref()) {
                (Rule::Judge, _) => Kind::Call,
                (Rule::Filter, _) => Kind::List,
                (Rule::Surface(_), _) => Kind::Surface,
                (Rule::Task(method), _) => Kind::Task(method),
                (Rule::Listen, _) => Kind::Listen,
                (Rule::Handshake, "initialize") => Kind::Initialize,
                (Rule::Handshake, _) => Kind::Discover,
                _ => Kind::Other,
            },
            Message::Notification(_) | Message::Response(_) => Kind::Nothing,
        };
        let request = match message {
            Message::Request(request) => Some(request),
            Message::Notification(_) | Message::Response(_) => None,
        };
        let wants_task = match (ask.call(), request) {
            (Some(call), Some(request)) => call.task_augmented || tasks::are_offered(request),
            _ => false,
        };
        Self {
            id: arrival.rpc_id.clone(),
            seal: request.and_then(|request| StateSeal::of(request, arrival)),
            tool: arrival.tool.clone(),
            trace_id: arrival.trace_id.clone(),
            wants_task,
            ..Self::new(kind, ask)
        }
    }

    /// The same, knowing the tasks that the request names.
    pub fn about(self, tasks: &Names) -> Self {
        Self { names: tasks.iter().map(|(ours, theirs)| (theirs.clone(), ours.clone())).collect(), ..self }
    }

    /// Has its further rounds go on by the same approval.
    pub fn approved_by(&mut self, approval: Option<TakenApproval>) {
        self.approval = approval;
    }

    /// The reply to a GET or DELETE.
    pub fn bodiless(method: &Method, ask: &Ask<'_>) -> Self {
        Self::new(if *method == Method::DELETE { Kind::Delete } else { Kind::Stream }, ask)
    }

    fn new(kind: Kind, ask: &Ask<'_>) -> Self {
        Self {
            kind,
            version: ask.version,
            id: None,
            session: ask.session.cloned(),
            opened: None,
            client: ask.client.cloned(),
            seal: None,
            approval: None,
            tool: None,
            trace_id: None,
            names: Names::new(),
            wants_task: false,
            acknowledged: false,
        }
    }

    fn era(&self) -> Era {
        self.version.era()
    }

    fn is_request(&self) -> bool {
        !matches!(self.kind, Kind::Nothing | Kind::Stream | Kind::Delete)
    }

    /// Whether it brings what nobody asked for yet: then it ends when the rules change.
    fn brings_news(&self) -> bool {
        matches!(self.kind, Kind::Stream | Kind::Listen)
    }

    /// What the upstream is asked for.
    pub fn expected(&self) -> Expected {
        if self.brings_news() { Expected::Stream } else { Expected::Answer }
    }

    /// What tells the client that its list of tools has changed with the rules, where it listens for that.
    fn tools_changed(&self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Listen if self.acknowledged => Some(listen::tools_changed(self.id.as_ref())),
            Kind::Stream if self.session.as_ref().is_some_and(|session| session.tells_of_tools) => {
                Some(listen::tools_changed(None))
            }
            _ => None,
        }
    }

    /// The session header for the client: its own, if the upstream names it again; a new one after a handshake.
    fn session_header(
        &self,
        gateway: &Gateway,
        view: &GrantView,
        upstream: &HeaderMap,
        settled: Option<Initialized>,
    ) -> Option<HeaderValue> {
        let named = upstream.get(SESSION).filter(|_| self.era() == Era::Legacy)?;
        match (&self.session, settled) {
            (_, Some(settled)) if self.kind == Kind::Initialize => {
                sessions::seal(gateway, view, named, settled, self.client.as_ref())
            }
            (Some(session), _) if session.upstream == *named => Some(session.sealed.clone()),
            _ => None,
        }
    }
}

/// Relays an answer to the client and sees to it that the call is closed.
pub(crate) async fn relay(
    gateway: &GatewayState,
    answer: Answer,
    mut reply: Reply,
) -> Result<Response, Refusal> {
    let Answer { response, view, call } = answer;
    let (head, body) = response.into_parts();
    if reply.kind == Kind::Initialize {
        reply.opened = head.headers.get(SESSION).cloned();
    }
    let content = match content_of(&head.headers) {
        Ok(content) => content,
        Err(unreadable) => return broken(call, unreadable.0).await,
    };
    if !head.status.is_success() {
        return Box::pin(failure::relay(gateway, (head, content), body, &view, call, reply)).await;
    }
    match (reply.kind, content) {
        (Kind::Nothing, _) => done(call, StatusCode::ACCEPTED).await,
        (Kind::Delete, _) => done(call, head.status).await,
        (_, Content::Events) => events::relay(gateway, &head, body, view, call, reply).await,
        (Kind::Stream, _) => broken(call, "it is no event stream").await,
        (_, Content::Json) => json::relay(gateway, &head, body, &view, call, reply).await,
        (_, Content::Other) => broken(call, "it is neither JSON nor an event stream").await,
    }
}

/// An answer without a body.
async fn done(call: OpenCall, status: StatusCode) -> Result<Response, Refusal> {
    call.end(Ending::Done).await;
    Ok(status.into_response())
}

/// An answer that can't be relayed.
async fn broken(call: OpenCall, what: &'static str) -> Result<Response, Refusal> {
    call.end(Ending::Broken(what)).await;
    Err(Refusal::UpstreamAnswer(what))
}

/// The response to the client: the headers that may pass, and the session by the name that the client knows.
fn response(head: &http::response::Parts, session: Option<HeaderValue>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = to_client(&head.headers);
    if let Some(session) = session {
        response.headers_mut().insert(SESSION, session);
    }
    response
}

/// Marks a response as a stream that nobody in between may collect.
pub(crate) fn unbuffered(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
}
