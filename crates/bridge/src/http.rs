//! The front: one path, three methods, and what each message means in its era.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp::headers::{self, LAST_EVENT_ID, SESSION_ID};
use mcp::{Era, Id, Message, Request, Version, envelope};
use vault::Entropy;

use crate::door::Door;
use crate::governor::Governor;
use crate::refusal::Refusal;
use crate::reply::{self, original, streams};
use crate::sessions::{Session, Sessions};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::stateless::Stateless;
use crate::translate::single_line;

/// Bytes of a request's body.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// The bridge. Cheap to clone.
#[derive(Clone)]
pub struct Bridge(Arc<Inner>);

struct Inner {
    settings: Settings,
    entropy: Entropy,
    door: Door,
    governor: Arc<Governor>,
    sessions: Sessions,
    stateless: Stateless,
}

impl Bridge {
    /// A bridge that has started nothing yet.
    pub fn new(settings: Settings, entropy: Entropy) -> Self {
        let door = Door::new(&settings);
        let governor = Arc::new(Governor::new(settings.first_wait, settings.longest_wait));
        let shared = Shared::new(settings.max_sessions);
        let stateless = Stateless { shared, rounds: Arc::default(), entropy: entropy.clone() };
        let sessions = Sessions::default();
        Self(Arc::new(Inner { settings, entropy, door, governor, sessions, stateless }))
    }

    /// Ends what goes unused for too long, for as long as it is polled.
    pub async fn sweep(&self) {
        let long = self.0.settings.idle;
        let mut ticks = tokio::time::interval((long / 4).max(Duration::from_millis(10)));
        loop {
            ticks.tick().await;
            for id in self.0.sessions.idle(long) {
                tracing::info!(session = &id[..8], "ending a session that nobody uses");
                self.0.sessions.end(&id).await;
            }
            self.0.stateless.rounds.end_idle(long);
            self.0.stateless.shared.end_idle(long).await;
        }
    }

    /// Ends every process, and waits for that.
    pub async fn stop(&self) {
        self.0.stateless.rounds.end();
        futures_util::future::join(self.0.sessions.end_all(), self.0.stateless.shared.end()).await;
    }
}

/// Serves the bridge at `/mcp`.
pub fn router(bridge: Bridge) -> Router {
    Router::new().fallback(serve).with_state(bridge)
}

async fn serve(State(bridge): State<Bridge>, request: HttpRequest) -> Response {
    let (head, body) = request.into_parts();
    let mut id = None;
    let answered = match bridge.0.door.check(&head.uri, &head.headers) {
        Err(refusal) => Err(refusal),
        Ok(()) if !matches!(head.uri.path(), "/mcp" | "/mcp/") => Err(Refusal::NotFound),
        Ok(()) => match head.method {
            Method::POST => bridge.0.post(&head.headers, body, &mut id).await,
            Method::GET => bridge.0.get(&head.headers),
            Method::DELETE => bridge.0.delete(&head.headers).await,
            _ => Err(Refusal::MethodNotAllowed),
        },
    };
    answered.unwrap_or_else(|refusal| {
        tracing::debug!(%refusal, "refused");
        refusal.response(id.as_ref())
    })
}

impl Inner {
    async fn post(&self, head: &HeaderMap, body: Body, id: &mut Option<Id>) -> Result<Response, Refusal> {
        headers::check_content(head)?;
        let body = read_body(body).await?;
        let message = envelope::read(&body)?;
        let named = match &message {
            Message::Request(request) => {
                *id = Some(request.id.clone());
                (request.era == Era::Legacy && request.method != "initialize").then(|| self.named(head))
            }
            _ => Some(self.named(head)),
        };
        let settled = named.as_ref().and_then(|named| named.as_ref().ok()?.version);
        let version = headers::check(head, &message, settled)?;
        match (version.era(), message) {
            (Era::Modern, Message::Request(request)) => {
                self.stateless.serve(&self.settings, &self.governor, head, &body, &request).await
            }
            // There is nothing that a stateless client could tell a process that all share.
            (Era::Modern, _) => Ok(StatusCode::ACCEPTED.into_response()),
            (Era::Legacy, Message::Request(request)) if request.method == "initialize" => {
                self.initialize(&body, request).await
            }
            (Era::Legacy, message) => {
                let session = named.unwrap_or(Err(Refusal::NoSession))?;
                Self::in_session(head, &body, message, &session, version).await
            }
        }
    }

    /// The session that a request names.
    fn named(&self, head: &HeaderMap) -> Result<Session, Refusal> {
        let id = head.get(SESSION_ID).ok_or(Refusal::NoSession)?;
        self.sessions.find(id.to_str().map_err(|_| Refusal::SessionUnknown)?)
    }

    async fn initialize(&self, body: &Bytes, request: Request<'_>) -> Result<Response, Refusal> {
        let session = self.sessions.open(&self.settings, &self.governor, &self.entropy)?;
        let line = single_line(body.to_vec());
        let mut reader = session.board.ask_in_session(original(&request), false, line).await?;
        let answer = reply::answer(&mut reader).await;
        if let Some(over) = session.board.over() {
            return Err(over.into());
        }
        let answer = answer.ok_or(Refusal::Speechless)?;
        let result: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
        let version = result["result"]["protocolVersion"].as_str().and_then(Version::parse);
        let mut response = ([(header::CONTENT_TYPE, "application/json")], answer).into_response();
        match (version, HeaderValue::try_from(&session.id)) {
            (Some(version), Ok(id)) => {
                self.sessions.settle(&session.id, version);
                response.headers_mut().insert(SESSION_ID, id);
            }
            // The server said no: it keeps no session, so neither is one kept here.
            _ => self.sessions.end(&session.id).await,
        }
        Ok(response)
    }

    async fn in_session(
        head: &HeaderMap,
        body: &Bytes,
        message: Message<'_>,
        session: &Session,
        version: Version,
    ) -> Result<Response, Refusal> {
        let line = single_line(body.to_vec());
        match message {
            Message::Request(request) => {
                let streams = streams(head);
                let reader = session.board.ask_in_session(original(&request), streams, line).await?;
                Ok(reply::in_session(reader, version, streams).await)
            }
            Message::Response(answer) if !session.board.asked(&answer.id) => Err(Refusal::NotAsked),
            Message::Notification(notification) if notification.method == "notifications/cancelled" => {
                let named = notification.params.as_ref().and_then(|params| params.get("requestId"));
                if let Some(id) = named.and_then(Id::read) {
                    session.board.cancelled(&id);
                }
                session.board.write(line).await?;
                Ok(StatusCode::ACCEPTED.into_response())
            }
            Message::Response(_) | Message::Notification(_) => {
                session.board.write(line).await?;
                Ok(StatusCode::ACCEPTED.into_response())
            }
        }
    }

    fn get(&self, head: &HeaderMap) -> Result<Response, Refusal> {
        let session = self.named(head);
        let version =
            headers::check_bodiless(head, session.as_ref().ok().and_then(|session| session.version))?;
        let board = session?.board;
        let reader = match head.get(LAST_EVENT_ID) {
            None => board.listen(),
            Some(last) => last.to_str().ok().and_then(|last| board.resume(last)),
        };
        let reader = reader.ok_or(Refusal::NothingKept)?;
        Ok(reply::reading(reader, version >= Version::V2025_11_25))
    }

    async fn delete(&self, head: &HeaderMap) -> Result<Response, Refusal> {
        let session = self.named(head);
        headers::check_bodiless(head, session.as_ref().ok().and_then(|session| session.version))?;
        self.sessions.end(&session?.id).await;
        Ok(StatusCode::OK.into_response())
    }
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::Interrupted),
    }
}
