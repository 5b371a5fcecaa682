//! The front: one path, three methods, and what each message means in its era.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as HttpRequest, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp::headers::{self, SESSION_ID};
use mcp::{Era, Id, Message, Request, Version, envelope};
use vault::Entropy;

use crate::board::Original;
use crate::door::Door;
use crate::governor::Governor;
use crate::refusal::Refusal;
use crate::reply::{self, Reply};
use crate::sessions::{Session, Sessions};
use crate::settings::Settings;
use crate::shared::{Dialect, Shared};
use crate::translate::{self, single_line};

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
    shared: Shared,
}

impl Bridge {
    /// A bridge that has started nothing yet.
    pub fn new(settings: Settings, entropy: Entropy) -> Self {
        let door = Door::new(&settings);
        let governor = Arc::new(Governor::new(settings.first_wait, settings.longest_wait));
        let (sessions, shared) = (Sessions::default(), Shared::default());
        Self(Arc::new(Inner { settings, entropy, door, governor, sessions, shared }))
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
            self.0.shared.end_idle(long).await;
        }
    }

    /// Ends every process, and waits for that.
    pub async fn stop(&self) {
        futures_util::future::join(self.0.sessions.end_all(), self.0.shared.end()).await;
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
            (Era::Modern, Message::Request(request)) => self.stateless(head, &body, request).await,
            // There is nothing that a stateless client could tell a process that all share.
            (Era::Modern, _) => Ok(StatusCode::ACCEPTED.into_response()),
            (Era::Legacy, Message::Request(request)) if request.method == "initialize" => {
                self.initialize(&body, request).await
            }
            (Era::Legacy, message) => {
                let session = named.unwrap_or(Err(Refusal::NoSession))?;
                self.in_session(head, &body, message, &session).await
            }
        }
    }

    /// The session that a request names.
    fn named(&self, head: &HeaderMap) -> Result<Session, Refusal> {
        let id = head.get(SESSION_ID).ok_or(Refusal::NoSession)?;
        self.sessions.find(id.to_str().map_err(|_| Refusal::SessionUnknown)?)
    }

    async fn stateless(
        &self,
        head: &HeaderMap,
        body: &Bytes,
        request: Request<'_>,
    ) -> Result<Response, Refusal> {
        let partner = self.shared.partner(&self.settings, &self.governor).await?;
        let translate = match &partner.dialect {
            Dialect::Modern => None,
            Dialect::Legacy(introduction) if request.method == "server/discover" => {
                let line = introduction.discovered(&request.id);
                let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
                return Ok((json, line).into_response());
            }
            Dialect::Legacy(_) => Some(translate::passes(&request.method).ok_or(Refusal::NotPassed)?),
        };
        if request.method == "tools/call" {
            partner.check(head, &request)?;
        }
        let write = |key: &Id| translate::line(body, &request, key, translate.is_some());
        let exchange = partner.board.ask(original(&request), write).await?;
        let (id, streams) = (request.id.clone(), streams(head));
        let lists = (request.method == "tools/list").then_some(partner);
        Ok(Reply { exchange, id, era: Era::Modern, streams, translate, lists }.response().await)
    }

    async fn initialize(&self, body: &Bytes, request: Request<'_>) -> Result<Response, Refusal> {
        let session = self.sessions.open(&self.settings, &self.governor, &self.entropy)?;
        let line = single_line(body.to_vec());
        let mut exchange = session.board.ask(original(&request), |_| line).await?;
        let Ok(answer) = (&mut exchange.answer).await else {
            return Err(exchange.broken_off().await.into());
        };
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
        &self,
        head: &HeaderMap,
        body: &Bytes,
        message: Message<'_>,
        session: &Session,
    ) -> Result<Response, Refusal> {
        let line = single_line(body.to_vec());
        match message {
            Message::Request(request) => {
                let exchange = session.board.ask(original(&request), |_| line).await?;
                let (id, streams) = (request.id.clone(), streams(head));
                Ok(Reply { exchange, id, era: Era::Legacy, streams, translate: None, lists: None }
                    .response()
                    .await)
            }
            Message::Response(answer) if !session.board.asked(&answer.id) => Err(Refusal::NotAsked),
            Message::Response(_) | Message::Notification(_) => {
                session.board.write(line).await?;
                Ok(StatusCode::ACCEPTED.into_response())
            }
        }
    }

    fn get(&self, head: &HeaderMap) -> Result<Response, Refusal> {
        let session = self.named(head);
        headers::check_bodiless(head, session.as_ref().ok().and_then(|session| session.version))?;
        Ok(reply::listening(session?.board.listen()))
    }

    async fn delete(&self, head: &HeaderMap) -> Result<Response, Refusal> {
        let session = self.named(head);
        headers::check_bodiless(head, session.as_ref().ok().and_then(|session| session.version))?;
        self.sessions.end(&session?.id).await;
        Ok(StatusCode::OK.into_response())
    }
}

fn original(request: &Request<'_>) -> Original {
    Original { id: request.id.clone(), progress: request.meta("progressToken").and_then(Id::read) }
}

/// Whether the client reads event streams.
fn streams(head: &HeaderMap) -> bool {
    let accepted = head.get_all(header::ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    accepted
        .into_iter()
        .any(|value: Cow<'_, str>| value.contains("text/event-stream") || value.contains("*/*"))
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    match Limited::new(body, MAX_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge),
        Err(_) => Err(Refusal::Interrupted),
    }
}
