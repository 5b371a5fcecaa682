//! Request bodies: JSON of a bounded size that is read one way only and has the shape that the OpenAPI document shows.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use control::FieldProblem;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::{document, shape};

/// The most bytes of a body: 4 MiB.
pub(crate) const LIMIT: usize = 4 * 1024 * 1024;
/// How deep a body may nest. A policy document needs 12.
const DEPTH: usize = 64;

/// A body of this type. Everything that is wrong with its shape is said at once.
pub(crate) struct Strict<T>(pub T);

impl<T: DeserializeOwned + ToSchema, S: Sync> FromRequest<S> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::MediaType);
        }
        let bytes = read(request.into_body()).await?;
        let value = json::parse(&bytes, DEPTH).map_err(|error| {
            let at = json::line_column(&bytes, error.offset);
            Problem::NotJson(error, at)
        })?;
        let problems = shape::check(&value, &T::name(), document::json());
        if !problems.is_empty() {
            return Err(Problem::Fields(problems));
        }
        // INVARIANT: what has the published shape can be read; a number out of its type's range can't.
        serde_json::from_slice(&bytes).map(Self).map_err(|_| {
            let message = "has a number that is out of range: use a smaller one".to_owned();
            Problem::Fields(vec![FieldProblem { pointer: String::new(), message }])
        })
    }
}

/// Whether the body is declared as JSON, in UTF-8 if it says so at all (RFC 8259, 8.1).
fn is_json(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Ok(text) = value.to_str() else { return false };
    let mut parts = text.split(';').map(str::trim);
    parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| {
            parameter.is_empty()
                || parameter.eq_ignore_ascii_case("charset=utf-8")
                || parameter.eq_ignore_ascii_case("charset=\"utf-8\"")
        })
}

async fn read(body: Body) -> Result<bytes::Bytes, Problem> {
    match Limited::new(body, LIMIT).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::TooLarge(LIMIT)),
        Err(_) => Err(Problem::Cut),
    }
}
