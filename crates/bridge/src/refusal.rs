//! Every way in which a request ends without an answer of the server, and the one place where it becomes a response.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use mcp::{Id, Malformed, code, reply};

use crate::board::{NotAsked, Over};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Another path.
    #[error("nothing is served here: send to /mcp")]
    NotFound,
    /// Another method than POST, GET and DELETE.
    #[error("this method is not answered here: send a POST")]
    MethodNotAllowed,
    /// The `Host` is none of ours: somebody's name was pointed at this address.
    #[error("this host is not served here: allow it with `--host`")]
    Host,
    /// A page of a foreign origin.
    #[error("pages of this origin may not call: allow it with `--origin`")]
    Origin,
    /// Not the token.
    #[error("the token is missing or wrong: send it as `Authorization: Bearer`")]
    Unauthenticated,
    /// The body is too large.
    #[error("the body is larger than 4 MiB: send less at once")]
    TooLarge,
    /// The body did not come whole.
    #[error("the body ended early: send it again")]
    Interrupted,
    /// A message that can't be understood in exactly one way, or whose headers say something else.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A request of a session that names none.
    #[error("this belongs to a session: send `initialize` first, then its `Mcp-Session-Id`")]
    NoSession,
    /// A session that never was, or is over.
    #[error("no such session: send `initialize` again")]
    SessionUnknown,
    /// No more sessions at once.
    #[error("too many sessions: end one, or allow more with `--max-sessions`")]
    TooManySessions,
    /// The program can't be started.
    #[error("the server can't be started: look at the bridge's log")]
    NotStarted,
    /// Too many processes ended by themselves.
    #[error("the server keeps ending by itself: it is started again in {} s", .0.as_secs() + 1)]
    Waiting(Duration),
    /// The process ended before it answered.
    #[error("the server ended before it answered: {0}")]
    Ended(Arc<str>),
    /// The server does not say what it speaks.
    #[error("the server answers neither `server/discover` nor `initialize`")]
    Speechless,
    /// A method that is not passed to a server of the older revisions.
    #[error("this method does not exist, or can't be translated for this server")]
    NotPassed,
    /// A state that is none of ours, any more, or of another request.
    #[error("`requestState` is not one of this call, or the call was given up: call anew without it")]
    StateUnknown,
    /// Somebody did not want what the server asked for.
    #[error("what the server asked for was declined, so it does not do this")]
    Declined,
    /// No process is left for a call that may be asked.
    #[error(
        "too many calls at once may be asked back: call again later, or allow more with `--max-sessions`"
    )]
    TooManyCalls,
    /// Requests of a session that wait.
    #[error("too many requests of this session are not answered yet: wait for some of them")]
    TooManyOpen,
    /// An event that is not kept, so that nothing can be resumed behind it.
    #[error("no stream is kept that `Last-Event-ID` names: its answer is lost")]
    NothingKept,
    /// A second request of the same id.
    #[error("a request of this id is not answered yet: give each its own")]
    SameId,
    /// An answer to what the server did not ask.
    #[error("the server asked nothing of this id")]
    NotAsked,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::SessionUnknown | Self::NotPassed => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(malformed) => malformed.http_status,
            Self::Interrupted | Self::NoSession | Self::SameId | Self::NotAsked | Self::NothingKept => {
                StatusCode::BAD_REQUEST
            }
            // A client of the newer revision takes a 4xx that it does not know for another server.
            Self::StateUnknown | Self::Declined => StatusCode::OK,
            Self::TooManySessions | Self::TooManyCalls | Self::TooManyOpen | Self::Waiting(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::NotStarted | Self::Ended(_) | Self::Speechless => StatusCode::BAD_GATEWAY,
        }
    }

    fn code(&self) -> i32 {
        match self {
            Self::Malformed(malformed) => malformed.code,
            Self::NotPassed => code::METHOD_NOT_FOUND,
            Self::StateUnknown | Self::Declined => code::INVALID_PARAMS,
            _ if self.status().is_server_error() => code::INTERNAL_ERROR,
            _ => code::INVALID_REQUEST,
        }
    }

    /// The JSON-RPC error.
    pub fn body(&self, id: Option<&Id>) -> Vec<u8> {
        match self {
            Self::Malformed(malformed) => malformed.body(),
            _ => reply::error(id, self.code(), &self.to_string(), None),
        }
    }

    /// The response, echoing the id of what it answers.
    pub fn response(&self, id: Option<&Id>) -> Response {
        let mut response = (self.status(), self.body(id)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Unauthenticated => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Waiting(wait) => {
                headers.insert(RETRY_AFTER, (wait.as_secs() + 1).into());
            }
            _ if self.status() == StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
            }
            _ => {}
        }
        response
    }
}

impl From<Over> for Refusal {
    fn from(over: Over) -> Self {
        Self::Ended(over.0)
    }
}

impl From<NotAsked> for Refusal {
    fn from(not: NotAsked) -> Self {
        match not {
            NotAsked::SameId => Self::SameId,
            NotAsked::TooMany => Self::TooManyOpen,
            NotAsked::Over(over) => over.into(),
        }
    }
}
