//! `/o/{org}`: what happened in the last day, and what to do next.

use askama::Template;
use axum::extract::State;

use super::log::chart::{chart, filter, range};
use super::log::query::Query;
use super::servers::list::{ServerRow, rows};
use super::steps::{Step, add_server, of_server};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::chart::Chart;
use crate::view::filters;
use crate::view::rules::Rule;

/// Rules in the list.
const RULES: u16 = 6;

/// The page.
#[derive(Template)]
#[template(path = "overview.html")]
pub struct Overview {
    pub frame: Frame,
    pub steps: Vec<Step>,
    pub chart: Chart,
    pub servers: Vec<ServerRow>,
    pub rules: Vec<Rule>,
}

impl Overview {
    /// Every step is done: they are left out.
    pub fn complete(&self) -> bool {
        self.steps.iter().all(|step| step.done)
    }
}

/// `GET /o/{org}`
pub async fn overview(
    State(state): State<DashboardState>,
    member: Member,
) -> Result<Page<Overview>, ErrorPage> {
    let (query, log) = (Query::default(), member.path("/log"));
    let hours = range(&query.filter, state.clock.now());
    let counts = state.control.histogram(&member.actor, &filter(&query, hours)).await?;
    let rules = state.control.top_rules(&member.actor, hours.0, RULES).await?;
    let servers = rows(&state, &member).await?;
    Ok(Page(Overview {
        frame: member.frame(&state, "overview"),
        steps: steps(&servers, &member),
        chart: chart(&counts, &query, hours.0, &log),
        servers,
        rules: rules.into_iter().map(|rule| Rule::of(rule, &log)).collect(),
    }))
}

/// The steps of the server that is furthest from its first call; the very first where there is none.
fn steps(servers: &[ServerRow], member: &Member) -> Vec<Step> {
    let all = servers.iter().map(|row| {
        let base = member.path(&format!("/servers/{}", row.server.id));
        of_server(&row.server, row.calls() > 0, &base)
    });
    let furthest = all.min_by_key(|steps| steps.iter().filter(|step| step.done).count());
    match furthest {
        Some(steps) => steps.to_vec(),
        None if member.actor.may(domain::Role::Admin) => vec![add_server(member.path("/servers/new"))],
        None => Vec::new(),
    }
}
