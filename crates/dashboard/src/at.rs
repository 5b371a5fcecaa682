//! Typed parts of an address. What does not parse names nothing: 404, like an id of another organisation.

use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::ErrorPage;

/// Parts of the path, in order: `At((_, server)): At<(String, ServerId)>`.
#[derive(Debug)]
pub struct At<T>(pub T);

/// The query; what can't be read of it is a problem of the address.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorPage> {
        let Path(value) = Path::from_request_parts(parts, state).await.map_err(|_| ErrorPage::NotFound)?;
        Ok(Self(value))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorPage> {
        let Query(value) = Query::from_request_parts(parts, state).await.map_err(|_| ErrorPage::NotFound)?;
        Ok(Self(value))
    }
}
