//! `/healthz` and `/readyz`: whether the process lives, and what it lacks to do its work.

use std::future::Future;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ledger::Ledger;
use serde::Serialize;
use storage::Storage;

/// How long a service may take to answer before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The services that are asked.
#[derive(Clone)]
pub struct Health {
    pub storage: Storage,
    pub ledger: Ledger,
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    /// What doesn't answer, in words for the operator; no address, no error text.
    missing: Vec<&'static str>,
}

/// The two routes. They need no log-in and say nothing of any tenant.
pub fn router(health: Health) -> Router {
    Router::new().route("/healthz", get(|| async { "alive\n" })).route("/readyz", get(ready)).with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    let missing = health.missing().await;
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: missing.is_empty(), missing })).into_response()
}

impl Health {
    /// Names what doesn't answer right now.
    pub async fn missing(&self) -> Vec<&'static str> {
        let (postgres, redis) = tokio::join!(answers(self.storage.ping()), answers(self.ledger.ping()));
        [(postgres, "postgres"), (redis, "redis")].into_iter().filter(|(ok, _)| !ok).map(|(_, name)| name).collect()
    }
}

async fn answers<T, E>(ping: impl Future<Output = Result<T, E>>) -> bool {
    matches!(tokio::time::timeout(PATIENCE, ping).await, Ok(Ok(_)))
}
