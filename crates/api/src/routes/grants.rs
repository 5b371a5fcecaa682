//! `/grants` and `/servers/{id}/grants`: the tokens that agents call with. Every change is obeyed by the next call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{ClientConfiguration, Control, FieldProblem, Grant, MintedGrant, NewGrant};
use domain::{GrantId, PolicyId, Secret, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::{Conflict, TooManyAttempts};
use crate::page::Page;
use crate::path::Id;
use crate::problem::Problem;
use crate::routes::accounts::secret;

/// A grant with its token.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MintedGrant)]
pub(crate) struct MintedGrantBody {
    /// The grant.
    grant: Grant,
    /// `tg_grant_...`.
    token: String,
    /// How to tell clients about it, the token filled in.
    clients: Vec<ClientConfiguration>,
}

/// The password of whoever asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordAgain {
    /// The password.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, format = Password)]
    password: Secret<String>,
}

/// The policy to put a grant under.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attachment {
    /// Id of a policy of the same server; null: every call is denied.
    #[schema(required, format = Uuid)]
    policy_id: Option<String>,
}

/// When a grant ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expiry {
    /// A day (`2027-01-31`, its end in UTC) or a time (RFC 3339); null: it works until it is revoked.
    #[schema(required, example = "2027-01-31")]
    expires_at: Option<String>,
}

/// List all grants
#[utoipa::path(
    get, path = "/grants", tag = "grants",
    responses((status = 200, description = "Of all servers, newest first.", body = Page<Grant>))
)]
pub(crate) async fn list_grants(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Page<Grant>>, Problem> {
    Ok(Json(Page::whole(control.grants(&actor, None).await?)))
}

/// List the grants of a server
#[utoipa::path(
    get, path = "/servers/{id}/grants", tag = "grants",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Newest first.", body = Page<Grant>))
)]
pub(crate) async fn list_server_grants(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<Page<Grant>>, Problem> {
    Ok(Json(Page::whole(control.grants(&actor, Some(id)).await?)))
}

/// Mint a grant
///
/// Needs the role `editor`.
#[utoipa::path(
    post, path = "/servers/{id}/grants", tag = "grants", request_body = NewGrant,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 201, description = "Minted, with its token.", body = MintedGrantBody), Conflict)
)]
pub(crate) async fn mint_grant(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<NewGrant>,
) -> Result<(StatusCode, Json<MintedGrantBody>), Problem> {
    Ok((StatusCode::CREATED, Json(control.mint_grant(&actor, id, &body).await?.into())))
}

/// Get a grant
#[utoipa::path(
    get, path = "/grants/{id}", tag = "grants", params(("id" = Uuid, Path, description = "The grant.")),
    responses((status = 200, description = "The grant, without its token.", body = Grant))
)]
pub(crate) async fn get_grant(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
) -> Result<Json<Grant>, Problem> {
    Ok(Json(control.grant(&actor, id).await?))
}

/// Replace the token of a grant
///
/// The old one is refused from the next call on. Needs the role `editor`.
#[utoipa::path(
    post, path = "/grants/{id}/rotate", tag = "grants", params(("id" = Uuid, Path, description = "The grant.")),
    responses((status = 200, description = "The grant with its new token.", body = MintedGrantBody), Conflict)
)]
pub(crate) async fn rotate_grant(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
) -> Result<Json<MintedGrantBody>, Problem> {
    Ok(Json(control.rotate_grant(&actor, id).await?.into()))
}

/// Show the token of a grant again
///
/// To a person, with an access token made from a log-in, who sends the password again. It is in the admin log. Needs
/// the role `admin`.
#[utoipa::path(
    post, path = "/grants/{id}/reveal", tag = "grants", request_body = PasswordAgain,
    params(("id" = Uuid, Path, description = "The grant.")),
    responses(
        (status = 200, description = "The grant with its token.", body = MintedGrantBody),
        Conflict, TooManyAttempts
    )
)]
pub(crate) async fn reveal_grant(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
    Strict(body): Strict<PasswordAgain>,
) -> Result<Json<MintedGrantBody>, Problem> {
    Ok(Json(control.reveal_grant(&actor, id, &body.password).await?.into()))
}

/// Revoke a grant
///
/// For good, and from the next call on. Needs the role `editor`.
#[utoipa::path(
    post, path = "/grants/{id}/revoke", tag = "grants", params(("id" = Uuid, Path, description = "The grant.")),
    responses((status = 200, description = "Revoked.", body = Grant))
)]
pub(crate) async fn revoke_grant(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
) -> Result<Json<Grant>, Problem> {
    Ok(Json(control.revoke_grant(&actor, id).await?))
}

/// Put a grant under another policy
///
/// From the next call on. Needs the role `editor`.
#[utoipa::path(
    put, path = "/grants/{id}/policy", tag = "grants", request_body = Attachment,
    params(("id" = Uuid, Path, description = "The grant.")),
    responses((status = 200, description = "Attached.", body = Grant), Conflict)
)]
pub(crate) async fn attach_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
    Strict(body): Strict<Attachment>,
) -> Result<Json<Grant>, Problem> {
    let policy = body.policy_id.as_deref().map(str::parse::<PolicyId>).transpose().map_err(|error| {
        let pointer = "/policy_id".to_owned();
        Problem::Fields(vec![FieldProblem { pointer, message: error.to_string() }])
    })?;
    Ok(Json(control.attach_policy(&actor, id, policy).await?))
}

/// Set when a grant ends
///
/// Needs the role `editor`.
#[utoipa::path(
    put, path = "/grants/{id}/expiry", tag = "grants", request_body = Expiry,
    params(("id" = Uuid, Path, description = "The grant.")),
    responses((status = 200, description = "Set.", body = Grant), Conflict)
)]
pub(crate) async fn set_grant_expiry(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<GrantId>,
    Strict(body): Strict<Expiry>,
) -> Result<Json<Grant>, Problem> {
    Ok(Json(control.set_grant_expiry(&actor, id, body.expires_at.as_deref()).await?))
}

impl From<MintedGrant> for MintedGrantBody {
    fn from(minted: MintedGrant) -> Self {
        Self { grant: minted.grant, token: minted.token.expose().clone(), clients: minted.clients }
    }
}
