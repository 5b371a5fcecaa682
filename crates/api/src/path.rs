//! Ids and numbers in a path. One that can't be read names nothing, so it is answered like one that is not there.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::problem::Problem;

/// The `{id}` of the path.
pub(crate) struct Id<T>(pub T);

/// The `{version}` of the path.
pub(crate) struct Version(pub u32);

/// The `{connection}` of the path.
pub(crate) struct Connection<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Connection<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "connection").await.map(Self)
    }
}

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "id").await.map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Version {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        parameter(parts, state, "version").await.map(Self)
    }
}

async fn parameter<T: FromStr, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    name: &str,
) -> Result<T, Problem> {
    let found = match RawPathParams::from_request_parts(parts, state).await {
        Ok(params) => params.iter().find(|(key, _)| *key == name).and_then(|(_, text)| text.parse().ok()),
        Err(_) => None,
    };
    found.ok_or(Problem::Control(control::Error::NotFound))
}
