//! `/o/{org}/servers/{server}`: what is left to do, how to connect a client, the last 24 hours.

use askama::Template;
use axum::extract::State;
use control::{ClientConfiguration, configurations};
use domain::ServerId;

use super::login::LoginView;
use super::view::View;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::log::chart::{chart, filter, range};
use crate::pages::log::query::Query;
use crate::pages::steps::{Step, of_server};
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::chart::Chart;
use crate::view::filters;
use crate::view::rules::Rule;

/// Rules asked for, of which those of this server are shown.
const RULES: u16 = 50;
/// Rules shown.
const SHOWN: usize = 6;

/// Stands for a token in the texts for clients.
pub const PLACEHOLDER: &str = "YOUR_GRANT_TOKEN";

/// The page.
#[derive(Template)]
#[template(path = "servers/overview.html")]
pub struct Overview {
    pub frame: Frame,
    pub view: View,
    pub login: LoginView,
    pub steps: Vec<Step>,
    pub chart: Chart,
    pub clients: Vec<ClientConfiguration>,
    pub placeholder: &'static str,
    pub rules: Vec<Rule>,
}

/// `GET /o/{org}/servers/{server}`
pub async fn overview(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
) -> Result<Page<Overview>, ErrorPage> {
    let view = View::of(&state, &member, id, "").await?;
    let mut query = Query::default();
    query.filter.server = Some(id);
    let hours = range(&query.filter, state.clock.now());
    let counts = state.control.histogram(&member.actor, &filter(&query, hours)).await?;
    let rules = state.control.top_rules(&member.actor, hours.0, RULES).await?;
    let base = member.path(&format!("/servers/{id}"));
    let log = format!("{base}/log");
    Ok(Page(Overview {
        login: LoginView::of(&state, &member, &view.server).await?,
        frame: member.frame(&state, "servers"),
        steps: of_server(&view.server, !counts.is_empty(), &base).to_vec(),
        chart: chart(&counts, &query, hours.0, &log),
        clients: configurations(&view.server.name, &view.server.gateway_url, PLACEHOLDER),
        placeholder: PLACEHOLDER,
        rules: rules
            .into_iter()
            .filter(|rule| rule.server == Some(id))
            .take(SHOWN)
            .map(|rule| Rule::of(rule, &log))
            .collect(),
        view,
    }))
}
