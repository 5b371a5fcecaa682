//! The front: routes, request ids, spans, and the one place where a refusal becomes a response and a row of the log.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Extension, Router};
use domain::{DecisionId, ServerId};
use http::{HeaderName, HeaderValue, Method, StatusCode, request};
use tracing::Instrument;

use crate::arrival::Arrival;
use crate::bodiless::bodiless;
use crate::caller;
use crate::metadata;
use crate::noted;
use crate::origin::Origins;
use crate::post::post;
use crate::refusal::{Refusal, Refused};
use crate::state::GatewayState;
use crate::trace;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The data plane's routes: `/mcp/{server}` and its metadata, each with and without a slash at the end and without a
/// redirect between the two, which would lose the body or the token.
///
/// Serve it with connect info of [`SocketAddr`], so that refusals are recorded with the caller's address.
pub fn router(state: GatewayState) -> Router {
    let metadata = get(metadata::metadata);
    Router::new()
        .route("/mcp/{server}", any(serve))
        .route("/mcp/{server}/", any(serve))
        .route(metadata::WELL_KNOWN, metadata.clone())
        .route(&format!("{}/", metadata::WELL_KNOWN), metadata)
        .with_state(state)
}

/// What is not the id of any server at all is not found; what could be one is answered alike whether it is or not.
async fn serve(
    State(gateway): State<GatewayState>,
    Path(server): Path<String>,
    connection: Option<Extension<ConnectInfo<SocketAddr>>>,
    request: Request,
) -> Response {
    let Ok(server) = server.parse::<ServerId>() else { return StatusCode::NOT_FOUND.into_response() };
    let (head, body) = request.into_parts();
    let at = gateway.parts.clock.now();
    let id: DecisionId = gateway.parts.entropy.id(at);
    let address = connection.map(|Extension(ConnectInfo(address))| address.ip());
    let mut arrival = Arrival::new(id, at, server, address, &head.headers);
    trace::of_head(&gateway, &mut arrival, &head.headers);
    let span = tracing::info_span!("mcp", request = %id, %server);
    async {
        let mut response = match answer(&gateway, &mut arrival, &head, body).await {
            Ok(response) => response,
            Err(refusal) => refuse(&gateway, &arrival, refusal).await,
        };
        gateway.origins.expose(&head.headers, &mut response);
        // The last decision, where a wait has made it two.
        if let Ok(id) = HeaderValue::try_from(arrival.id.to_string()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
    .instrument(span)
    .await
}

async fn answer(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    head: &request::Parts,
    body: Body,
) -> Result<Response, Refusal> {
    gateway.origins.check(&head.uri, &head.headers)?;
    match head.method {
        Method::POST | Method::GET | Method::DELETE => {}
        Method::OPTIONS => return Origins::preflight(&head.headers),
        _ => return Err(Refusal::MethodNotAllowed),
    }
    let found = caller::authenticate(gateway, arrival, &head.headers).await?;
    if head.method == Method::POST {
        post(gateway, arrival, found, &head.headers, body).await
    } else {
        bodiless(gateway, arrival, found, head.method.clone(), &head.headers).await
    }
}

/// Counts a refusal and writes it down.
pub(crate) async fn note_refusal(gateway: &GatewayState, arrival: &Arrival, refusal: &Refusal) {
    tracing::debug!(status = refusal.status().as_u16(), reason = %refusal, "refused");
    gateway.parts.metrics.refused(refusal);
    noted::note(gateway, arrival, refusal).await;
}

async fn refuse(gateway: &GatewayState, arrival: &Arrival, refusal: Refusal) -> Response {
    note_refusal(gateway, arrival, &refusal).await;
    let metadata = gateway.metadata_url(arrival.server);
    Refused { refusal, id: arrival.rpc_id.clone(), request: arrival.id, metadata }.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<A, F>(_: impl FnOnce(A) -> F) -> usize {
        size_of::<F>()
    }

    /// It is moved into a box at every request: what few requests wait for has boxes of its own.
    #[test]
    fn what_is_kept_of_a_request_is_at_most_nine_kib() {
        let size = of(|(gateway, server, connection, request)| serve(gateway, server, connection, request));
        assert!(size <= 9 * 1024, "{size} bytes");
    }
}
