//! `/o/{org}/servers/{server}/grants/{grant}/clients` and `/clients/{client}`: how each client is told to use a grant.

use askama::Template;
use axum::extract::State;
use control::{ClientConfiguration, configurations};
use domain::{GrantId, ServerId};

use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::servers::overview::PLACEHOLDER;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// The page: one client's text, and links to the others.
#[derive(Template)]
#[template(path = "grants/clients.html")]
pub struct Clients {
    pub frame: Frame,
    pub view: View,
    /// The grant's address.
    pub grant: String,
    pub all: Vec<ClientConfiguration>,
    /// Which of them is shown.
    pub shown: ClientConfiguration,
    pub placeholder: &'static str,
}

/// `GET /o/{org}/servers/{server}/grants/{grant}/clients`
pub async fn first(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, GrantId)>,
) -> Result<Page<Clients>, ErrorPage> {
    of(&state, &member, server, id, None).await.map(Page)
}

/// `GET /o/{org}/servers/{server}/grants/{grant}/clients/{client}`
pub async fn one(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id, client)): At<(String, ServerId, GrantId, String)>,
) -> Result<Page<Clients>, ErrorPage> {
    of(&state, &member, server, id, Some(&client)).await.map(Page)
}

/// The page; a grant of another server, and a client that nobody knows, are not found here.
async fn of(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    id: GrantId,
    client: Option<&str>,
) -> Result<Clients, ErrorPage> {
    let facts = state.control.grant(&member.actor, id).await?;
    if facts.server_id != server {
        return Err(ErrorPage::NotFound);
    }
    let view = View::of(state, member, server, "/grants").await?;
    // A token is shown when it is made or revealed; here it is what the reader puts in.
    let all = configurations(&view.server.name, &view.server.gateway_url, PLACEHOLDER);
    let named = |one: &&ClientConfiguration| client.is_none_or(|client| client == one.id);
    let shown = all.iter().find(named).cloned().ok_or(ErrorPage::NotFound)?;
    let grant = format!("/grants/{id}");
    Ok(Clients {
        frame: member.frame(state, "servers"),
        grant: member.path(&format!("/servers/{server}{grant}")),
        view: view.deeper(member, "Set up a client", &[("/grants", "Grants"), (&grant, &facts.label)]),
        all,
        shown,
        placeholder: PLACEHOLDER,
    })
}
