//! What can be done with a grant. Each is obeyed by the next call.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::{GrantId, PolicyId, Secret, ServerId};

use super::grant::{Grant, of};
use super::mint::shown;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::render::{Page, refused};
use crate::state::DashboardState;

type Place = At<(String, ServerId, GrantId)>;

/// `POST .../{grant}/revoke`
pub async fn revoke(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): Place,
) -> Result<Redirect, ErrorPage> {
    state.control.revoke_grant(&member.actor, id).await?;
    Ok(Redirect::to(&member.path(&format!("/servers/{server}/grants?revoked={id}"))))
}

/// `POST .../{grant}/rotate`
pub async fn rotate(
    State(state): State<DashboardState>,
    member: Member,
    At((_, _, id)): Place,
) -> Result<Response, ErrorPage> {
    let minted = state.control.rotate_grant(&member.actor, id).await?;
    let sentence = "The old token is refused from now on. Copy the new one: it is what the client sends.";
    Ok(Page(shown(&state, &member, minted, "Rotated", sentence).await?).into_response())
}

/// `POST .../{grant}/reveal`: with the reader's password.
pub async fn reveal(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): Place,
    mut revealing: Form,
) -> Result<Response, ErrorPage> {
    let password = Secret::new(revealing.value("password").to_owned());
    match state.control.reveal_grant(&member.actor, id, &password).await {
        Ok(minted) => {
            let sentence = "This was written to the admin log.";
            Ok(Page(shown(&state, &member, minted, "Revealed", sentence).await?).into_response())
        }
        Err(error) => {
            revealing.absorb(error)?;
            Ok(refused(Grant { revealing, ..of(&state, &member, server, id).await? }))
        }
    }
}

/// `POST .../{grant}/policy`: an empty choice is none.
pub async fn attach(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): Place,
    form: Form,
) -> Result<Redirect, ErrorPage> {
    let policy = match form.value("policy_id") {
        "" => None,
        typed => Some(typed.parse::<PolicyId>().map_err(|_| ErrorPage::NotFound)?),
    };
    state.control.attach_policy(&member.actor, id, policy).await?;
    Ok(Redirect::to(&member.path(&format!("/servers/{server}/grants/{id}"))))
}

/// `POST .../{grant}/expiry`: an empty day is never.
pub async fn expire(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): Place,
    mut expiring: Form,
) -> Result<Response, ErrorPage> {
    let day = expiring.given("expires_at");
    match state.control.set_grant_expiry(&member.actor, id, day.as_deref()).await {
        Ok(_) => Ok(Redirect::to(&member.path(&format!("/servers/{server}/grants/{id}"))).into_response()),
        Err(error) => {
            expiring.absorb(error)?;
            Ok(refused(Grant { expiring, ..of(&state, &member, server, id).await? }))
        }
    }
}
