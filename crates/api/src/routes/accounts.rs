//! `/sign-up` and `/sessions`: a person's account and log-ins.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use control::{Control, LogIn, NewSession, SignUp};
use domain::Secret;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::LoggedIn;
use crate::document::{TooManyAttempts, Unauthenticated};
use crate::problem::Problem;
use crate::routes::organisations::MembershipBody;

/// The caller's address, where the binary knows it.
type From = Option<Extension<ConnectInfo<SocketAddr>>>;

/// An account to make, with its first organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignUp)]
pub(crate) struct SignUpBody {
    /// To log in with.
    #[schema(example = "ada@example.com")]
    email: String,
    /// At least 12 characters.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, format = Password)]
    password: Secret<String>,
    /// What to call the organisation, 1 to 80 characters.
    #[schema(example = "Acme")]
    organisation: String,
}

/// Who logs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LogIn)]
pub(crate) struct LogInBody {
    /// As signed up with.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The password.
    #[serde(deserialize_with = "secret")]
    #[schema(value_type = String, format = Password)]
    password: Secret<String>,
}

/// A log-in that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NewSession)]
pub(crate) struct NewSessionBody {
    /// `tg_session_...`: shown this once. Exchange it at `POST /api/v1/tokens`.
    token: String,
    /// The latest time it can be used; an idle one ends earlier.
    expires_at: DateTime<Utc>,
    /// The slug of the person's first organisation.
    organisation: Option<String>,
}

/// A log-in in use.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    /// Who logged in.
    email: String,
    /// The latest time it can be used; an idle one ends earlier.
    expires_at: DateTime<Utc>,
    /// What the person belongs to, by name.
    organisations: Vec<MembershipBody>,
}

/// Sign up
///
/// Makes an account and an organisation that it owns, and logs in.
#[utoipa::path(
    post, path = "/sign-up", tag = "accounts", security(()), request_body = SignUpBody,
    responses(
        (status = 201, description = "Signed up and logged in.", body = NewSessionBody),
        TooManyAttempts,
    )
)]
pub(crate) async fn sign_up(
    State(control): State<Control>,
    from: From,
    Strict(body): Strict<SignUpBody>,
) -> Result<(StatusCode, Json<NewSessionBody>), Problem> {
    let input = SignUp { email: body.email, password: body.password, organisation: body.organisation };
    let session = control.sign_up(&input, address(from)).await?;
    Ok((StatusCode::CREATED, Json(session.into())))
}

/// Log in
#[utoipa::path(
    post, path = "/sessions", tag = "accounts", security(()), request_body = LogInBody,
    responses(
        (status = 201, description = "Logged in.", body = NewSessionBody),
        Unauthenticated,
        TooManyAttempts,
    )
)]
pub(crate) async fn log_in(
    State(control): State<Control>,
    from: From,
    Strict(body): Strict<LogInBody>,
) -> Result<(StatusCode, Json<NewSessionBody>), Problem> {
    let input = LogIn { email: body.email, password: body.password };
    let session = control.log_in(&input, address(from)).await.map_err(|error| match error {
        control::Error::Unauthenticated => {
            Problem::Credentials("the e-mail or the password is wrong: type them again")
        }
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(session.into())))
}

/// Get the log-in in use
#[utoipa::path(
    get, path = "/sessions/current", tag = "accounts", security(("session" = [])),
    responses((status = 200, description = "The log-in.", body = SessionBody))
)]
pub(crate) async fn get_session(LoggedIn { session, .. }: LoggedIn) -> Json<SessionBody> {
    Json(SessionBody {
        email: session.email.to_string(),
        expires_at: session.expires_at,
        organisations: session.organisations.iter().map(MembershipBody::from).collect(),
    })
}

/// Log out
///
/// Ends the log-in and every access token made from it.
#[utoipa::path(
    delete, path = "/sessions/current", tag = "accounts", security(("session" = [])),
    responses((status = 204, description = "Logged out."))
)]
pub(crate) async fn log_out(
    State(control): State<Control>,
    LoggedIn { token, .. }: LoggedIn,
) -> Result<StatusCode, Problem> {
    control.log_out(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl std::convert::From<NewSession> for NewSessionBody {
    fn from(session: NewSession) -> Self {
        Self {
            token: session.token.expose().clone(),
            expires_at: session.expires_at,
            organisation: session.home.map(|slug| slug.to_string()),
        }
    }
}

fn address(from: From) -> Option<IpAddr> {
    from.map(|Extension(ConnectInfo(address))| address.ip())
}

/// Reads a string that must not be shown.
pub(crate) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}
