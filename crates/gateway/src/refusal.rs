//! Every way in which a request ends without an answer of the upstream or of the policy: one enum, and the one place
//! where it becomes a response.

use axum::response::{IntoResponse, Response};
use domain::{DecisionId, Outcome};
use egress::EgressError;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use mcp::{Id, Malformed, code, reply};

use crate::login::LoggedOut;

/// Statuses of an upstream that mean the same from us: clients act on them.
const PASSING: [StatusCode; 7] = [
    StatusCode::BAD_REQUEST,
    StatusCode::NOT_FOUND,
    StatusCode::METHOD_NOT_ALLOWED,
    StatusCode::NOT_ACCEPTABLE,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::TOO_MANY_REQUESTS,
];

/// Why a request is refused. What the caller is told is the same whether or not there is such a server.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Another method than POST, GET and DELETE.
    #[error("this method is not answered here: send a POST")]
    MethodNotAllowed,
    /// The `Host` is none of ours: somebody's name was pointed at our address.
    #[error("this host is not served here: use the address that the configuration names")]
    Host,
    /// A page of a foreign origin.
    #[error("pages of this origin may not call: ask the operator to allow it")]
    Origin,
    /// No valid grant for such a server. The reason is for the log, never for the caller.
    #[error("no valid grant for this server: send a token of it as `Authorization: Bearer`")]
    Unauthenticated {
        /// Whether a token was sent.
        sent: bool,
        /// A few fixed words for the log.
        reason: &'static str,
    },
    /// The body is over [`MAX_BODY`](crate::post::MAX_BODY).
    #[error("the body is larger than 4 MiB: send less at once")]
    TooLarge,
    /// The body did not come whole.
    #[error("the body ended early: send it again")]
    Interrupted,
    /// A message that can't be understood in exactly one way, or that does not pass.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The session is not one of this grant at this server, or can't be told from one that never was.
    #[error("no such session: send `initialize` again")]
    SessionUnknown,
    /// Neither memory nor Postgres (nor Redis) can say what the grant may do.
    #[error("the request can't be judged now: try again in a moment")]
    Unavailable,
    /// The decision can't be written down.
    #[error("decisions can't be recorded now: try again in a moment")]
    LogFull,
    /// The configuration changed under every attempt to judge the request by it.
    #[error("the configuration is being changed: try again in a moment")]
    Unsettled,
    /// So much is held for others that there is no room for the answer.
    #[error("too many large answers are being relayed now: try again in a moment")]
    Busy,
    /// The upstream could not be called.
    #[error("the upstream could not be called: {0}")]
    Upstream(EgressError),
    /// The upstream does not accept the credentials it is called with.
    #[error(
        "the upstream refuses the credentials stored for it: an administrator must renew or reconnect them"
    )]
    UpstreamCredentials,
    /// There is no login to call the upstream with.
    #[error(transparent)]
    UpstreamLogin(LoggedOut),
    /// The upstream answered with an error status and no JSON-RPC error.
    #[error("the upstream answered with HTTP status {}", .status.as_u16())]
    UpstreamStatus {
        /// The upstream's.
        status: StatusCode,
        /// When to try again, by its own words.
        retry_after: Option<HeaderValue>,
    },
    /// The upstream answered with what can't be relayed.
    #[error("the upstream's answer can't be relayed: {0}")]
    UpstreamAnswer(&'static str),
    /// A fault of ours; logged where it happened.
    #[error("something went wrong here: quote the request id to the operator")]
    Internal,
}

impl Refusal {
    /// The status of the HTTP response.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::Unauthenticated { .. } => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::Malformed(malformed) => malformed.http_status,
            Self::SessionUnknown => StatusCode::NOT_FOUND,
            Self::Unavailable | Self::LogFull | Self::Unsettled | Self::Busy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Upstream(EgressError::Timeout(_)) => StatusCode::GATEWAY_TIMEOUT,
            Self::UpstreamStatus { status, .. } if PASSING.contains(status) => *status,
            Self::Upstream(_)
            | Self::UpstreamCredentials
            | Self::UpstreamLogin(_)
            | Self::UpstreamStatus { .. }
            | Self::UpstreamAnswer(_) => StatusCode::BAD_GATEWAY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The JSON-RPC error code.
    pub fn code(&self) -> i32 {
        match self {
            Self::Malformed(malformed) => malformed.code,
            Self::MethodNotAllowed
            | Self::Host
            | Self::Origin
            | Self::Unauthenticated { .. }
            | Self::TooLarge
            | Self::Interrupted
            | Self::SessionUnknown => code::INVALID_REQUEST,
            _ => code::INTERNAL_ERROR,
        }
    }

    /// The outcome and the reason that the log shows, for what is refused before a policy could judge it; none for
    /// faults of our side and of the upstream's.
    pub(crate) fn record(&self) -> Option<(Outcome, &'static str)> {
        match self {
            Self::Unauthenticated { reason, .. } => Some((Outcome::Unauthenticated, reason)),
            Self::Malformed(malformed) => Some((Outcome::Malformed, malformed.reason)),
            Self::TooLarge => Some((Outcome::Malformed, "body over 4 MiB")),
            Self::Interrupted => Some((Outcome::Malformed, "body ended early")),
            Self::SessionUnknown => Some((Outcome::Malformed, "unknown session")),
            _ => None,
        }
    }
}

/// A refusal on its way to the caller.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub refusal: Refusal,
    /// The JSON-RPC id to answer to, where it is known.
    pub id: Option<Id>,
    /// The request id.
    pub request: DecisionId,
    /// Where the protected resource metadata of the server would be.
    pub metadata: String,
}

impl Refused {
    fn body(&self) -> Vec<u8> {
        match &self.refusal {
            Refusal::Malformed(malformed) => malformed.body(),
            refusal => {
                let data = serde_json::json!({ "requestId": self.request });
                let data = refusal.status().is_server_error().then_some(&data);
                reply::error(self.id.as_ref(), refusal.code(), &refusal.to_string(), data)
            }
        }
    }

    /// RFC 9728, 5.1; RFC 6750, 3: the error is named only to a caller that sent a token.
    fn challenge(&self, sent: bool) -> String {
        let error = if sent { ", error=\"invalid_token\"" } else { "" };
        format!("Bearer resource_metadata=\"{}\"{error}", self.metadata)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = self.refusal.status();
        let mut response = (status, self.body()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match &self.refusal {
            Refusal::Unauthenticated { sent, .. } => {
                if let Ok(challenge) = HeaderValue::try_from(self.challenge(*sent)) {
                    headers.insert(WWW_AUTHENTICATE, challenge);
                }
            }
            Refusal::Unavailable | Refusal::LogFull | Refusal::Unsettled | Refusal::Busy => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            Refusal::UpstreamStatus { retry_after: Some(after), .. } => {
                headers.insert(RETRY_AFTER, after.clone());
            }
            Refusal::MethodNotAllowed => {
                headers.insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
            }
            // GET and DELETE are not answered by every upstream, and not in every era.
            _ if status == StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            _ => {}
        }
        response
    }
}
