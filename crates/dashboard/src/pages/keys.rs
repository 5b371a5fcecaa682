//! `/o/{org}/keys`: keys to the management API.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{ApiKey, MintedKey, NewKey};
use domain::{ApiKeyId, Role};
use serde::Deserialize;

use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page.
#[derive(Template)]
#[template(path = "keys.html")]
pub struct Keys {
    pub frame: Frame,
    pub listed: Vec<ApiKey>,
    pub form: Form,
    /// Roles that the maker may give.
    pub roles: Vec<(String, String)>,
    /// The key that was revoked a moment ago.
    pub revoked: Option<ApiKey>,
}

/// The token of a key that was just made.
#[derive(Template)]
#[template(path = "new_key.html")]
pub struct NewKeyToken {
    pub frame: Frame,
    pub minted: MintedKey,
}

impl NewKeyToken {
    /// A request that shows that the key works.
    pub const EXAMPLE: &str =
        "curl -H \"Authorization: Bearer $TOLLGATE_KEY\" \"$TOLLGATE_URL/api/v1/audit/decisions?limit=10\"";
}

/// What to say above the list.
#[derive(Deserialize)]
pub struct Said {
    revoked: Option<ApiKeyId>,
}

/// `GET /o/{org}/keys`
pub async fn keys(
    State(state): State<DashboardState>,
    member: Member,
    Asked(said): Asked<Said>,
) -> Result<Page<Keys>, ErrorPage> {
    let mut page = listed(&state, &member, Form::with([("role", "viewer")])).await?;
    page.revoked =
        page.listed.iter().find(|key| Some(key.id) == said.revoked && key.revoked_at.is_some()).cloned();
    Ok(Page(page))
}

/// `POST /o/{org}/keys`
pub async fn create(
    State(state): State<DashboardState>,
    member: Member,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let input = NewKey {
        label: form.value("label").to_owned(),
        role: form.value("role").to_owned(),
        expires_at: form.given("expires_at"),
    };
    match state.control.create_key(&member.actor, &input).await {
        Ok(minted) => Ok(Page(NewKeyToken { frame: member.frame(&state, "keys"), minted }).into_response()),
        Err(error) => {
            form.absorb(error)?;
            Ok(refused(listed(&state, &member, form).await?))
        }
    }
}

/// `POST /o/{org}/keys/{key}/revoke`
pub async fn revoke(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ApiKeyId)>,
) -> Result<Redirect, ErrorPage> {
    state.control.revoke_key(&member.actor, id).await?;
    Ok(Redirect::to(&member.path(&format!("/keys?revoked={id}"))))
}

async fn listed(state: &DashboardState, member: &Member, form: Form) -> Result<Keys, ErrorPage> {
    let listed = state.control.keys(&member.actor).await?;
    let roles = [Role::Viewer, Role::Editor, Role::Admin, Role::Owner]
        .into_iter()
        .filter(|role| member.actor.may(*role))
        .map(|role| (role.to_string(), format!("{role}: {}", duties(role))))
        .collect();
    Ok(Keys { frame: member.frame(state, "keys"), listed, form, roles, revoked: None })
}

/// What a role may do, in a few words.
pub fn duties(role: Role) -> &'static str {
    match role {
        Role::Viewer => "reads everything but secrets",
        Role::Editor => "also writes policies and mints grants",
        Role::Admin => "also registers servers, reveals tokens, makes API keys",
        Role::Owner => "also renames the organisation",
    }
}
