//! What a client needs to know before it calls: this API in OpenAPI, and the keys that access tokens are signed with.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use control::Control;
use serde_json::Value;

use crate::document;
use crate::problem::Problem;

/// This API, as OpenAPI 3.1.
#[utoipa::path(
    get, path = "/openapi.json", tag = "about", security(()),
    responses((status = 200, description = "The document.", body = Value))
)]
pub(crate) async fn get_openapi() -> Json<&'static Value> {
    Json(document::json())
}

/// The public keys that access tokens are signed with.
///
/// A JSON Web Key Set (RFC 7517). The newest key signs; older ones stay while their tokens live.
#[utoipa::path(
    get, path = "/.well-known/jwks.json", tag = "about", security(()),
    responses((status = 200, description = "The key set.", body = Value))
)]
pub(crate) async fn get_jwks(State(control): State<Control>) -> Result<impl IntoResponse, Problem> {
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(control.jwks()?)))
}
