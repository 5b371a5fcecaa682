//! `/keys`: API keys of the organisation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{ApiKey, Control, NewKey};
use domain::ApiKeyId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::page::Page;
use crate::path::Id;
use crate::problem::Problem;

/// A key with its token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MintedKey)]
pub(crate) struct MintedKeyBody {
    /// The key.
    key: ApiKey,
    /// `tg_key_...`: shown this once.
    token: String,
}

/// List API keys
///
/// Newest first. Needs the role `admin`.
#[utoipa::path(
    get, path = "/keys", tag = "organisations",
    responses((status = 200, description = "All keys, without their tokens.", body = Page<ApiKey>))
)]
pub(crate) async fn list_keys(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Page<ApiKey>>, Problem> {
    Ok(Json(Page::whole(control.keys(&actor).await?)))
}

/// Make an API key
///
/// Needs the role `admin`.
#[utoipa::path(
    post, path = "/keys", tag = "organisations", request_body = NewKey,
    responses(
        (status = 201, description = "Made. The token is shown this once.", body = MintedKeyBody),
        Conflict,
    )
)]
pub(crate) async fn create_key(
    State(control): State<Control>,
    Caller(actor): Caller,
    Strict(body): Strict<NewKey>,
) -> Result<(StatusCode, Json<MintedKeyBody>), Problem> {
    let minted = control.create_key(&actor, &body).await?;
    let body = MintedKeyBody { token: minted.token.expose().clone(), key: minted.key };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Revoke an API key
///
/// The next request with it, or with an access token made from it, is refused. Needs the role `admin`.
#[utoipa::path(
    delete, path = "/keys/{id}", tag = "organisations", params(("id" = uuid::Uuid, Path, description = "The key.")),
    responses((status = 200, description = "Revoked.", body = ApiKey))
)]
pub(crate) async fn revoke_key(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ApiKeyId>,
) -> Result<Json<ApiKey>, Problem> {
    Ok(Json(control.revoke_key(&actor, id).await?))
}
