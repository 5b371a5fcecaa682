//! `/o/{org}/servers/{server}/grants/new`, and the page that shows a token.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use control::{MintedGrant, NewGrant};
use domain::ServerId;

use super::choices;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The form.
#[derive(Template)]
#[template(path = "grants/new.html")]
pub struct New {
    pub frame: Frame,
    pub view: View,
    pub base: String,
    pub form: Form,
    /// Values and names for the select.
    pub policies: Vec<(String, String)>,
}

/// A grant with its token: after minting, rotating or revealing, and never else.
#[derive(Template)]
#[template(path = "grants/token.html")]
pub struct Token {
    pub frame: Frame,
    pub view: View,
    pub base: String,
    /// `Minted`, `Rotated` or `Revealed`.
    pub what: &'static str,
    /// What to know about the token.
    pub sentence: &'static str,
    pub minted: MintedGrant,
}

/// `GET /o/{org}/servers/{server}/grants/new`
pub async fn new(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
) -> Result<Page<New>, ErrorPage> {
    let page = of(&state, &member, server, Form::default()).await?;
    let first = page.policies.first().map(|(id, _)| id.clone()).unwrap_or_default();
    Ok(Page(New { form: Form::with([("policy_id", &first)]), ..page }))
}

/// `POST /o/{org}/servers/{server}/grants/new`
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = NewGrant {
        label: form.value("label").to_owned(),
        identity: form.value("identity").to_owned(),
        policy_id: form.given("policy_id"),
        expires_at: form.given("expires_at"),
    };
    match state.control.mint_grant(&member.actor, server, &input).await {
        Ok(minted) => {
            let sentence = "Copy the token now: it is what the client sends. An admin can reveal it later.";
            Ok(Page(shown(&state, &member, minted, "Minted", sentence).await?).into_response())
        }
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(of(&state, &member, server, form).await?))
        }
    }
}

/// The page of a token.
pub async fn shown(
    state: &DashboardState,
    member: &Member,
    minted: MintedGrant,
    what: &'static str,
    sentence: &'static str,
) -> Result<Token, ErrorPage> {
    let view = View::of(state, member, minted.grant.server_id, "/grants").await?;
    let view = view.deeper(member, &minted.grant.label, &[("/grants", "Grants")]);
    let base = member.path(&format!("/servers/{}/grants", minted.grant.server_id));
    Ok(Token { frame: member.frame(state, "servers"), view, base, what, sentence, minted })
}

async fn of(state: &DashboardState, member: &Member, server: ServerId, form: Form) -> Result<New, ErrorPage> {
    let view = View::of(state, member, server, "/grants").await?;
    let view = view.deeper(member, "Mint grant", &[("/grants", "Grants")]);
    let policies = choices(&state.control.policies(&member.actor, Some(server)).await?);
    let base = member.path(&format!("/servers/{server}/grants"));
    Ok(New { frame: member.frame(state, "servers"), view, base, form, policies })
}
