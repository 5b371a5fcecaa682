//! What servers have asked of clients and what waits for an answer. To the upstream all our grants are one caller, and it tells
//! answers apart by its own ids: so an answer passes only from the grant, and in the session, that was asked.
//!
//! Kept in Redis, so that the answer may come in on another replica. What can't be kept is not asked.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use domain::Surface;
use http::HeaderValue;
use mcp::methods::{self, Asked};
use mcp::{Era, Id, Malformed, Message, Request, code, state};

use crate::denial::Denial;
use crate::directory::GrantView;
use crate::judge::{Ask, Subject};
use crate::refusal::Refusal;
use crate::sessions::Session;
use crate::state::{Gateway, GatewayState};
use crate::upstream;

/// How long an answer may take: a person may have to be found.
const KEPT: Duration = Duration::from_hours(24);
/// The same where nobody has to be found.
const KEPT_PING: Duration = Duration::from_mins(10);
/// Answers in one request that are looked up; a task that asks for more gets no answer.
const MOST: usize = 256;

/// Who was asked, and what the answer is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question([u8; 32]);

impl Question {
    /// A request of the server in a session.
    pub fn in_session(view: &GrantView, session: &HeaderValue, id: &Id) -> Self {
        Self::of(view, &[b"session", session.as_bytes(), id.to_json().to_string().as_bytes()])
    }

    /// What a task wants to know, by the upstream's id of the task and the name of the question.
    pub fn of_task(view: &GrantView, task: &str, name: &str) -> Self {
        Self::of(view, &[b"task", task.as_bytes(), name.as_bytes()])
    }

    fn of(view: &GrantView, parts: &[&[u8]]) -> Self {
        let (grant, server) = (view.grant.uuid(), view.server.uuid());
        let mut text = [*grant.as_bytes(), *server.as_bytes()].concat();
        for part in parts {
            text.extend_from_slice(&(part.len() as u64).to_be_bytes());
            text.extend_from_slice(part);
        }
        Self(vault::sha256(&text))
    }

    /// Whether an answer to it can be told from any other.
    pub async fn keep(&self, gateway: &Gateway, view: &GrantView, method: &str) -> bool {
        let kept = if method == "ping" { KEPT_PING } else { KEPT };
        let keeping = gateway.parts.ledger.keep_question(view.tenant, &self.0, method, kept).await;
        if let Err(error) = &keeping {
            tracing::warn!(server = %view.server, %error, "a request of an upstream can't be kept");
        }
        keeping.is_ok()
    }

    /// Ends it; whether it still waited.
    pub async fn end(&self, gateway: &Gateway, view: &GrantView) -> Result<bool, Refusal> {
        let ended = gateway.parts.ledger.end_question(view.tenant, &self.0).await;
        ended.map_err(|error| {
            tracing::warn!(server = %view.server, %error, "an answer can't be told from any other");
            Refusal::Unavailable
        })
    }
}

/// A client's answer in a session, and what was asked.
pub(crate) struct Answered {
    pub question: Question,
    id: Id,
    method: String,
}

impl Answered {
    /// The end of a question that is closed by now: the server is told so, and the client that it was not told what it said.
    pub async fn withhold(
        &self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        ask: &Ask<'_>,
        denial: &Denial,
    ) -> Result<Response, Refusal> {
        if !self.question.end(gateway, view).await? {
            return Err(unasked());
        }
        let session = ask.session.map(|session| session.upstream.clone());
        let body = denial.error_body(&self.id, code::METHOD_NOT_FOUND);
        upstream::answer(gateway, view, ask.version, session, body);
        Ok(denial.withheld())
    }

    /// What the policy is asked about: what was asked of the client, as the rules are now.
    pub fn subject(&self, view: &GrantView) -> Subject<'_> {
        match methods::asked(&self.method) {
            Asked::Nothing => Subject::Other,
            Asked::Surface(surface) => Subject::Surface(surface),
            Asked::Unknown if view.target.lets_pass(&self.method) => Subject::Custom(&self.method),
            Asked::Unknown => Subject::Unknown,
        }
    }
}

/// What a client's message answers; nothing if it is no answer.
pub(crate) async fn answered(
    gateway: &Gateway,
    view: &GrantView,
    session: Option<&Session>,
    message: &Message<'_>,
) -> Result<Option<Answered>, Refusal> {
    let Message::Response(response) = message else { return Ok(None) };
    let Some(session) = session else { return Err(outside()) };
    let question = Question::in_session(view, &session.upstream, &response.id);
    let method = look_up(gateway, view, &[question.0]).await?.pop().flatten().ok_or_else(unasked)?;
    Ok(Some(Answered { question, id: response.id.clone(), method }))
}

/// Of the names in the `inputResponses` of a `tasks/update`, those that the task asked for, with what they are about.
pub(crate) async fn by_task(
    gateway: &Gateway,
    view: &GrantView,
    task: &str,
    names: &[&str],
) -> Result<Vec<(String, Surface)>, Refusal> {
    let names = names.get(..names.len().min(MOST)).unwrap_or_default();
    let questions: Vec<_> = names.iter().map(|name| Question::of_task(view, task, name).0).collect();
    let methods = look_up(gateway, view, &questions).await?;
    let known = names.iter().zip(methods).filter_map(|(name, method)| {
        let Asked::Surface(surface) = methods::asked(&method?) else { return None };
        Some(((*name).to_owned(), surface))
    });
    Ok(known.collect())
}

/// The names that a modern request answers by.
pub(crate) fn answers<'v>(request: &'v Request<'_>) -> Result<Vec<&'v str>, Malformed> {
    let responses = request.param("inputResponses").filter(|_| request.era == Era::Modern);
    let Some(responses) = responses.filter(|responses| !responses.is_null()) else { return Ok(Vec::new()) };
    let object = responses.as_object().ok_or_else(|| state::refused_responses(request))?;
    Ok(object.members().iter().map(|member| member.key.as_ref()).collect())
}

async fn look_up(
    gateway: &Gateway,
    view: &GrantView,
    questions: &[[u8; 32]],
) -> Result<Vec<Option<String>>, Refusal> {
    let looking = gateway.parts.ledger.questions(view.tenant, questions).await;
    looking.map_err(|error| {
        tracing::warn!(server = %view.server, %error, "an answer can't be told from any other");
        Refusal::Unavailable
    })
}

/// The refusal of an answer to what nobody asked in this session, or what was answered.
pub(crate) fn unasked() -> Refusal {
    refused("this answers no request of the server in this session that is still open", "answer to nothing")
}

/// The refusal of an answer outside of any session: whoever it reaches can't know whose it is.
fn outside() -> Refusal {
    refused("a response belongs to a session: send its `Mcp-Session-Id`", "response without session")
}

fn refused(message: &str, reason: &'static str) -> Refusal {
    Refusal::Malformed(Malformed {
        http_status: http::StatusCode::BAD_REQUEST,
        code: code::INVALID_REQUEST,
        message: message.to_owned(),
        data: None,
        id: None,
        reason,
    })
}
