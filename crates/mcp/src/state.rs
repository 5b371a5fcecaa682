//! `requestState` of calls in several rounds (2026-07-28): the upstream binds it to its principal, which all grants share,
//! so that the gateway wraps it on the way to the client and unwraps it on the way back ([`crate::Draft::wrap_state`], [`crate::upstream_body`]).

use crate::{Malformed, Request};

/// The state that a request brings back.
///
/// # Errors
/// 400 `-32602`: it is not a text.
pub fn brought<'v>(request: &'v Request<'_>) -> Result<Option<&'v str>, Malformed> {
    let Some(state) = request.param("requestState") else { return Ok(None) };
    state.as_str().map(Some).ok_or_else(|| refused(request))
}

/// The answer to a state that is not a text, or that the gateway did not wrap for this caller and call: 400 `-32602`.
pub fn refused(request: &Request<'_>) -> Malformed {
    Malformed::params("request state", "`requestState` is not one of this call: call anew without it")
        .for_id(Some(request.id.clone()))
}

/// The answer to `inputResponses` that are no object: 400 `-32602`.
pub fn refused_responses(request: &Request<'_>) -> Malformed {
    Malformed::params(
        "input responses",
        "`inputResponses` must be an object: an answer under each name that was asked for",
    )
    .for_id(Some(request.id.clone()))
}
