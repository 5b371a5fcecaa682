//! Who asks: an API key or access token for one organisation, or a person's log-in. Extractors, so that a handler can't
//! forget to ask.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use control::{Actor, Session};
use vault::TokenKind;

use crate::ApiState;
use crate::problem::Problem;

/// Somebody acting in one organisation: an API key, or an access token made from a key or a log-in.
pub(crate) struct Caller(pub Actor);

/// A person's log-in, in no organisation yet.
pub(crate) struct LoggedIn {
    /// The log-in.
    pub session: Session,
    /// Its token, to end it with.
    pub token: String,
}

/// Whoever may ask for an access token: a log-in or an API key, but not another access token.
pub(crate) enum Holder {
    /// A log-in.
    Person(Session),
    /// An API key.
    Key(Actor),
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        if TokenKind::claimed(token) == Some(TokenKind::Session) {
            return Err(Problem::Credentials(
                "a session token names no organisation: exchange it at POST /api/v1/tokens",
            ));
        }
        Ok(Self(state.control.authenticate(token).await?))
    }
}

impl FromRequestParts<ApiState> for LoggedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        if TokenKind::claimed(token) != Some(TokenKind::Session) {
            return Err(Problem::Credentials(
                "this is for people: send the session token that POST /api/v1/sessions gives",
            ));
        }
        Ok(Self { session: state.control.session(token).await?, token: token.to_owned() })
    }
}

impl FromRequestParts<ApiState> for Holder {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let token = bearer(&parts.headers)?;
        match TokenKind::claimed(token) {
            Some(TokenKind::Session) => Ok(Self::Person(state.control.session(token).await?)),
            Some(TokenKind::Key) => Ok(Self::Key(state.control.authenticate(token).await?)),
            _ => Err(Problem::Credentials(
                "send an API key, or the session token that POST /api/v1/sessions gives",
            )),
        }
    }
}

/// The one bearer token of a request (RFC 6750, 2.1).
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(Problem::Credentials("send `Authorization: Bearer <API key or access token>`")),
        (Some(_), Some(_)) => Err(Problem::Credentials("send one `Authorization` header, not several")),
        (Some(value), None) => value
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or(Problem::Credentials("`Authorization` must read `Bearer <API key or access token>`")),
    }
}
