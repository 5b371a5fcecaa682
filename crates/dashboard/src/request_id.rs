//! The id of a request: in its answer, in its log lines, and on the page when something went wrong.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderName, HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

use crate::state::DashboardState;

/// Where the answer names it.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Uuid;
}

/// The id of the request that is being answered; nil outside of one.
pub fn current() -> Uuid {
    CURRENT.try_with(|id| *id).unwrap_or_default()
}

/// Middleware: gives the request its id.
pub async fn give(State(state): State<DashboardState>, request: Request, next: Next) -> Response {
    let id: Uuid = state.entropy.id(state.clock.now());
    let span = tracing::info_span!("page", request_id = %id, method = %request.method());
    let mut response = CURRENT.scope(id, next.run(request).instrument(span)).await;
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}
