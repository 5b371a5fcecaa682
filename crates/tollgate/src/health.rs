//! `/healthz` and `/readyz`: whether the process lives, and what it lacks to do its work.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use ledger::Ledger;
use serde::Serialize;
use storage::{NotReady, Storage};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a service may take to answer before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(2);

/// The services that are asked.
#[derive(Clone)]
pub struct Health {
    pub storage: Storage,
    pub ledger: Ledger,
    /// Cancelled when the process is told to stop.
    pub stopping: CancellationToken,
}

/// What keeps the process from doing its work.
pub enum Missing {
    /// No answer, or an answer that it is not fit to be used. The sentence is for the operator: it names no address.
    Postgres { sentence: String, answers: bool },
    /// No answer. Why is for the operator alone: it names addresses.
    Redis { why: String },
}

#[derive(Serialize)]
struct Readiness {
    ready: bool,
    missing: Vec<String>,
}

/// The two routes. They need no log-in and say nothing of any tenant.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    // Nothing is asked then: a balancer is to know it at once.
    let missing: Vec<String> = if health.stopping.is_cancelled() {
        vec!["this process is being stopped".to_owned()]
    } else {
        health.missing().await.iter().map(ToString::to_string).collect()
    };
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Readiness { ready: missing.is_empty(), missing })).into_response()
}

impl Health {
    /// Asks both services at once.
    pub async fn missing(&self) -> Vec<Missing> {
        let (postgres, redis) =
            tokio::join!(timeout(PATIENCE, self.storage.ready()), timeout(PATIENCE, self.ledger.ping()));
        let postgres = match postgres {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(Missing::Postgres {
                sentence: why.to_string(),
                answers: !matches!(why, NotReady::Away(_)),
            }),
            Err(_) => Some(Missing::Postgres {
                sentence: "postgres does not answer in time".to_owned(),
                answers: false,
            }),
        };
        let redis = match redis {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(Missing::Redis { why: error.to_string() }),
            Err(_) => Some(Missing::Redis { why: "no answer in time".to_owned() }),
        };
        postgres.into_iter().chain(redis).collect()
    }
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres { sentence, .. } => f.write_str(sentence),
            Self::Redis { .. } => f.write_str("redis does not answer: check REDIS_URL and that it runs"),
        }
    }
}
