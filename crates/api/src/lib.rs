//! The JSON front door: `/api/v1`, its OpenAPI document, and problems (RFC 9457).
//!
//! A handler extracts, calls one operation of `control`, and renders. It decides nothing.

mod body;
mod caller;
mod document;
mod page;
mod path;
mod policy_text;
mod problem;
mod query;
mod request;
mod routes;
mod shape;

use std::time::Duration;

use axum::extract::FromRef;
use axum::routing::any;
use axum::{Router, middleware};
use control::Control;
use domain::Clock;
use vault::Entropy;

use crate::problem::Problem;

/// What the front door needs. Cheap to clone; built by the binary.
#[derive(Clone, Debug)]
pub struct ApiState {
    control: Control,
    clock: Clock,
    entropy: Entropy,
    patience: Duration,
}

impl ApiState {
    /// A front door to these operations; clock and entropy make the request ids.
    pub fn new(control: Control, clock: Clock, entropy: Entropy) -> Self {
        Self { control, clock, entropy, patience: Duration::from_secs(90) }
    }

    /// The same, where a request may take so long until its answer begins. 90 s unless said.
    #[must_use]
    pub fn within(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

impl FromRef<ApiState> for Control {
    fn from_ref(state: &ApiState) -> Self {
        state.control.clone()
    }
}

/// Everything under `/api/v1`, and `/.well-known/jwks.json`. Merge it into the binary's router; addresses outside of
/// these two are not touched.
pub fn router(state: ApiState) -> Router {
    let (routes, _) = routes::all().split_for_parts();
    routes
        // The fallback below `/api/v1` begins behind its slash.
        .route("/api/v1/", any(async || Problem::NoRoute))
        .method_not_allowed_fallback(async || Problem::Method)
        .layer(middleware::from_fn_with_state(state.clone(), request::identify))
        .with_state(state)
}

/// The OpenAPI 3.1 document of [`router`].
pub fn openapi() -> serde_json::Value {
    document::json().clone()
}
