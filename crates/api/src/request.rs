//! What every request and response of the API goes through: a request id, a span, a limit on its time, no caching, refusals
//! rendered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use control::Service;
use tokio::time::timeout;
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
    let answering = timeout(state.patience, next.run(request));
    let mut response = async {
        answering.await.unwrap_or_else(|_| {
            // All else that is waited for has a limit of its own. Nothing that was begun stands: its transaction is rolled back.
            tracing::warn!("a request was given up: the database does not answer");
            Problem::from(control::Error::Unavailable(Service::Database)).into_response()
        })
    }
    .instrument(span)
    .await;

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
