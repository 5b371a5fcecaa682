//! Who calls: `Authorization: Bearer` to a grant of the server that the path names. Everybody else gets one and the same
//! answer, so that it tells nobody which servers and grants there are.

use http::HeaderMap;
use http::header::AUTHORIZATION;
use mcp::{Malformed, code};
use vault::{Token, TokenKind};

use crate::arrival::Arrival;
use crate::directory::{Away, Found};
use crate::refusal::Refusal;
use crate::state::Gateway;

/// The grant that the request is made with, valid now as far as the directory knows. The ledger says whether that is far
/// enough.
pub(crate) async fn authenticate(
    gateway: &Gateway,
    arrival: &mut Arrival,
    headers: &HeaderMap,
) -> Result<Found, Refusal> {
    let unknown = |reason| Refusal::Unauthenticated { sent: true, reason };
    let text = bearer(headers)?;
    let token = Token::parse(TokenKind::Grant, text).map_err(|_| unknown("not a token"))?;
    let hash = token.hash();
    let found = gateway.directory.get(&hash).await?.ok_or_else(|| unknown("unknown token"))?;
    if found.remembered && found.view.refused(gateway.parts.clock.now()).is_some() {
        // It may have been prolonged since.
        return read_anew(gateway, arrival, found).await;
    }
    admit(gateway, arrival, &found)?;
    Ok(found)
}

/// The grant as it is now: before a refusal by what was remembered, since refusals are only ever given from a read of now.
pub(crate) async fn read_anew(
    gateway: &Gateway,
    arrival: &mut Arrival,
    found: Found,
) -> Result<Found, Refusal> {
    let unknown = || Refusal::Unauthenticated { sent: true, reason: "unknown token" };
    let view = gateway.directory.read(&found.view.token_hash).await?.ok_or_else(unknown)?;
    let found = Found { view, remembered: false, ..found };
    admit(gateway, arrival, &found)?;
    Ok(found)
}

/// Whether a grant that was found works, now and for this server; notes it as the one that is used.
pub(crate) fn admit(gateway: &Gateway, arrival: &mut Arrival, found: &Found) -> Result<(), Refusal> {
    let refused = |reason| Refusal::Unauthenticated { sent: true, reason };
    if found.view.server != arrival.server {
        arrival.view = None;
        return Err(refused("token of another server"));
    }
    arrival.view = Some(std::sync::Arc::clone(&found.view));
    match found.view.refused(gateway.parts.clock.now()) {
        Some(reason) => Err(refused(reason)),
        None => Ok(()),
    }
}

/// The token of the one `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(Refusal::Unauthenticated { sent: false, reason: "no token" });
    };
    if values.next().is_some() {
        return Err(Refusal::Malformed(Malformed {
            http_status: http::StatusCode::BAD_REQUEST,
            code: code::INVALID_REQUEST,
            message: "the `Authorization` header is here twice: send it once".to_owned(),
            data: None,
            id: None,
            reason: "repeated header",
        }));
    }
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ')),
        _ => Err(Refusal::Unauthenticated { sent: true, reason: "not a bearer token" }),
    }
}

impl From<Away> for Refusal {
    fn from(_: Away) -> Self {
        Self::Unavailable
    }
}
