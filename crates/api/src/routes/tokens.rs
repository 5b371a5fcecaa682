//! `/tokens`: short-lived access tokens, made from a log-in or an API key.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use control::{Control, FieldProblem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Holder;
use crate::problem::Problem;

/// What the token is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// Slug of the organisation to act in. Needed with a session token; an API key has its own.
    #[serde(default)]
    #[schema(example = "acme")]
    organisation: Option<String>,
}

/// An access token, in the words of RFC 6749, 5.1.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessToken)]
pub(crate) struct AccessTokenBody {
    /// A JWT, signed with `EdDSA` by a key of `/.well-known/jwks.json`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// It is refused from then on.
    expires_at: DateTime<Utc>,
}

/// Make an access token
///
/// It stands for the log-in or API key that it was made with for 15 minutes, and ends with it.
#[utoipa::path(
    post, path = "/tokens", tag = "accounts", security(("session" = []), ("bearer" = [])),
    request_body = NewToken,
    responses((status = 201, description = "The token.", body = AccessTokenBody))
)]
pub(crate) async fn create_token(
    State(control): State<Control>,
    holder: Holder,
    Strict(body): Strict<NewToken>,
) -> Result<(StatusCode, Json<AccessTokenBody>), Problem> {
    let actor = match (&holder, body.organisation.as_deref()) {
        (Holder::Person(session), Some(slug)) => session.actor(slug).map_err(|_| no_member(slug))?,
        (Holder::Person(_), None) => return Err(refuse("is needed with a session token: add its slug")),
        (Holder::Key(actor), None) => actor.clone(),
        (Holder::Key(_), Some(_)) => return Err(refuse("is decided by the API key: leave it out")),
    };
    let token = control.issue_access_token(&actor)?;
    let body = AccessTokenBody {
        access_token: token.token.expose().clone(),
        token_type: "Bearer",
        expires_at: token.expires_at,
    };
    Ok((StatusCode::CREATED, Json(body)))
}

fn no_member(slug: &str) -> Problem {
    let slug: String = slug.chars().take(64).collect();
    refuse(&format!("`{slug}` is not an organisation of yours: use a slug from /api/v1/organisations"))
}

fn refuse(message: &str) -> Problem {
    let pointer = "/organisation".to_owned();
    Problem::Fields(vec![FieldProblem { pointer, message: message.to_owned() }])
}
