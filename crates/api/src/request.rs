//! What every request and response of the API goes through: a request id, a span, no caching, refusals rendered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::ApiState;
use crate::problem::Problem;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request and renders its refusal, if it has one.
pub(crate) async fn identify(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let id = state.entropy.id::<Uuid>(state.clock.now()).to_string();
    // The path without its query, and no header: neither may carry what is logged by accident.
    let span =
        tracing::info_span!("api", request_id = %id, method = %request.method(), path = request.uri().path());
    let mut response = next.run(request).instrument(span).await;

    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = problem.render(&id);
        response.headers_mut().extend(allow.map(|methods| (header::ALLOW, methods)));
    }
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(X_REQUEST_ID, id);
    }
    response
}
