//! Calls of tools that are hidden, and of those that there are not: both are answered as the server answers a call of a tool that it does
//! not have. It is asked by a call of a name that no server has, with nothing of the client's in it, when that is first needed, and then again
//! after a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use domain::{ConnectionId, Outcome, ServerId};
use futures_util::stream;
use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use mcp::headers::{Content, METHOD, NAME, content_of, to_client};
use mcp::sse::Parser;
use mcp::unknown::{self, Answer, MAX_ANSWER, UnknownTool};
use mcp::{Era, Request, ToolCall, Version, reply};
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::denial::{self, Denial};
use crate::directory::{GrantView, Target};
use crate::relay;
use crate::sessions::{SESSION, Session};
use crate::state::Gateway;
use crate::upstream;

/// How long an answer is taken for the server's own form, and how long it is not asked again when none came.
const KEPT: Duration = Duration::from_mins(10);
const KEPT_NONE: Duration = Duration::from_mins(1);
/// How long it may take to ask.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a caller waits at most who could be answered at once, so that it takes as long as it took the server.
const LONGEST: Duration = Duration::from_secs(1);
/// Bytes of an event stream that are looked through for the answer.
const MAX_STREAM: usize = 64 * 1024;
/// Forms that are kept; beyond it all are learnt anew.
const MOST: usize = 10_000;

/// A call that is answered so.
pub(crate) struct Asked<'a> {
    pub view: &'a Arc<GrantView>,
    pub version: Version,
    pub session: Option<&'a Session>,
    pub request: &'a Request<'a>,
    pub call: &'a ToolCall<'a>,
}

/// What the servers' forms are.
#[derive(Default)]
pub(crate) struct Forms(Mutex<HashMap<Key, Arc<Known>>>);

/// Servers may tell callers, revisions and event streams apart.
type Key = (ServerId, Option<ConnectionId>, Version);

/// The form of one server.
struct Known {
    /// The server as it was asked.
    target: Weak<Target>,
    asked: Instant,
    form: OnceCell<Option<Form>>,
}

struct Form {
    tool: UnknownTool,
    headers: HeaderMap,
    /// It repeats the session.
    names_session: bool,
    took: Duration,
}

/// Whether a refused call is answered so: the tool is hidden, or is none under a policy that hides some, for what would tell one from the
/// other tells which are hidden.
pub(crate) fn conceals(gateway: &Gateway, view: &GrantView, denial: &Denial, call: &ToolCall<'_>) -> bool {
    denial.outcome == Outcome::Hidden || (view.hides_tools() && !gateway.listed.has(view, call.name))
}

/// What the server says of a tool that it does not have, said of this one.
pub(crate) async fn answer(gateway: &Gateway, asked: &Asked<'_>) -> Response {
    let began = Instant::now();
    let known = gateway.forms.of(asked);
    let form = known.form.get_or_try_init(|| learn(gateway, asked)).await;
    let form = form.ok().and_then(Option::as_ref);
    // A call that wants a task (legacy) takes no result for an answer.
    let Some(form) = form.filter(|form| form.tool.is_error() || !asked.call.task_augmented) else {
        return denial::json(reply::unknown_tool(&asked.request.id, asked.call.name));
    };
    tokio::time::sleep_until(began + form.took.min(LONGEST)).await;
    form.response(asked)
}

impl Forms {
    fn of(&self, asked: &Asked<'_>) -> Arc<Known> {
        let key = (asked.view.server, asked.view.login.connection(), asked.version);
        let target = Arc::downgrade(&asked.view.target);
        let mut forms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = forms.get(&key).filter(|known| known.holds(&target)) {
            return Arc::clone(known);
        }
        if forms.len() >= MOST {
            forms.clear();
        }
        let new = Arc::new(Known { target, asked: Instant::now(), form: OnceCell::new() });
        forms.insert(key, Arc::clone(&new));
        new
    }
}

impl Known {
    fn holds(&self, target: &Weak<Target>) -> bool {
        let kept = if matches!(self.form.get(), Some(None)) { KEPT_NONE } else { KEPT };
        self.target.ptr_eq(target) && self.asked.elapsed() < kept
    }
}

impl Form {
    fn response(&self, asked: &Asked<'_>) -> Response {
        let (status, events, body) = self.tool.of(&asked.request.id, asked.call.name);
        let body = Bytes::from(body);
        // A stream has no length that is known before.
        let body = if events {
            Body::from_stream(stream::iter([Ok::<_, std::convert::Infallible>(body)]))
        } else {
            Body::from(body)
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = self.headers.clone();
        if let Some(session) = asked.session.filter(|_| self.names_session) {
            response.headers_mut().insert(SESSION, session.sealed.clone());
        }
        if events {
            relay::unbuffered(&mut response);
        }
        response
    }
}

/// Asks the server; nothing if it does not say in time, or nothing that could be said of another tool.
async fn learn(gateway: &Gateway, asked: &Asked<'_>) -> Result<Option<Form>, OfSession> {
    let bytes: [u8; 16] = gateway.parts.entropy.bytes();
    let name = unknown::name(&bytes.map(|byte| format!("{byte:02x}")).concat());
    let began = Instant::now();
    let learnt = tokio::time::timeout(PATIENCE, ask(gateway, asked, &name)).await.unwrap_or(Ok(None))?;
    tracing::info!(server = %asked.view.server, learnt = learnt.is_some(), "asked for a tool that no server has");
    Ok(learnt.map(|form| Form { took: began.elapsed(), ..form }))
}

/// The server says something of the session that it was asked in, or of there being none. That says nothing for others.
struct OfSession;

async fn ask(gateway: &Gateway, asked: &Asked<'_>, name: &str) -> Result<Option<Form>, OfSession> {
    let Some(response) = response_to(gateway, asked, name).await else { return Ok(None) };
    let of_session = matches!(response.status(), StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND);
    if of_session && asked.version.era() == Era::Legacy {
        return Err(OfSession);
    }
    Ok(form_in(response, asked, name).await)
}

async fn response_to(
    gateway: &Gateway,
    asked: &Asked<'_>,
    name: &str,
) -> Option<http::Response<egress::Body>> {
    let Asked { view, version, session, .. } = *asked;
    let mut own: Vec<(HeaderName, HeaderValue)> = Vec::new();
    if version.era() == Era::Modern {
        own =
            vec![(METHOD, HeaderValue::from_static("tools/call")), (NAME, HeaderValue::try_from(name).ok()?)];
    }
    let call = unknown::call(name, version);
    upstream::ask(gateway, view, (version, own), session, call).await.ok()
}

async fn form_in(response: http::Response<egress::Body>, asked: &Asked<'_>, name: &str) -> Option<Form> {
    let Asked { view, version, session, .. } = *asked;
    let era = version.era();
    let (head, mut body) = response.into_parts();
    let tools = view.target.tools.names();
    let secret = || tools.clone().chain(session.and_then(|session| session.upstream.to_str().ok()));
    let tool = match content_of(&head.headers).ok()? {
        Content::Json => {
            let body = body.read(MAX_ANSWER).await.ok()?;
            let answer = Answer { status: head.status, body: &body, event: None };
            UnknownTool::learn(&answer, name, era, secret())?
        }
        Content::Events => {
            let mut parser = Parser::new(MAX_STREAM);
            let mut left = MAX_STREAM;
            loop {
                while let Some(event) = parser.next_event().ok()? {
                    let body = event.data().map(AsRef::as_ref).unwrap_or_default();
                    let answer = Answer { status: head.status, body, event: Some(&event) };
                    if let Some(tool) = UnknownTool::learn(&answer, name, era, secret()) {
                        return Some(Form::new(tool, &head, session));
                    }
                }
                let piece = body.frame().await?.ok()?.into_data().unwrap_or_default();
                left = left.checked_sub(piece.len())?;
                parser.push(&piece);
            }
        }
        Content::Other => return None,
    };
    Some(Form::new(tool, &head, session))
}

impl Form {
    fn new(tool: UnknownTool, head: &http::response::Parts, session: Option<&Session>) -> Self {
        let mut headers = to_client(&head.headers);
        headers.remove(RETRY_AFTER);
        let named = head.headers.get(SESSION);
        let names_session = session.is_some_and(|session| named == Some(&session.upstream));
        Self { tool, headers, names_session, took: Duration::ZERO }
    }
}
