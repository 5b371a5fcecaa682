//! A limit on the time until an answer begins: a database that hangs must not have every page hang with it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use control::Service;
use tokio::time::timeout;

use crate::error::ErrorPage;
use crate::state::DashboardState;

/// Middleware: gives a request up that takes too long. Nothing that was begun stands: its transaction is rolled back.
pub async fn limit(State(state): State<DashboardState>, request: Request, next: Next) -> Response {
    timeout(state.patience, next.run(request)).await.unwrap_or_else(|_| {
        // All else that is waited for has a limit of its own.
        tracing::warn!("a request was given up: the database does not answer");
        ErrorPage::Unavailable(Service::Database).into_response()
    })
}
