//! `/o/{org}/log`, and the Log tab of a server: filters, chart, and a page of decisions, newest first.

use askama::Template;
use audit::Page as Decisions;
use axum::extract::{RawQuery, State};
use control::{Grant, Server};
use domain::{Outcome, ServerId};

use super::chart::{chart, filter, range};
use super::query::Query;
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::chart::Chart;
use crate::view::filters;

/// Decisions on a page.
pub const LIMIT: u16 = 50;

/// The page of the organisation.
#[derive(Template)]
#[template(path = "log/log.html")]
pub struct Log {
    pub frame: Frame,
    pub log: Body,
}

/// The tab of one server.
#[derive(Template)]
#[template(path = "log/server_log.html")]
pub struct ServerLog {
    pub frame: Frame,
    pub view: View,
    pub log: Body,
}

/// What both show.
#[derive(Clone, Debug)]
pub struct Body {
    /// The address without filters.
    pub base: String,
    /// Where the live tail comes from, with the filters.
    pub live: String,
    /// Where the export comes from, with the filters; `&format=` is put behind it.
    pub export: String,
    /// The filters as the query part of an address.
    pub query: String,
    /// The filters as typed.
    pub form: Form,
    pub chart: Chart,
    pub page: Decisions,
    /// What can be chosen.
    pub servers: Vec<Server>,
    /// What can be chosen.
    pub grants: Vec<Grant>,
    /// The page is about one server, which goes without saying.
    pub one_server: bool,
    /// Newer decisions are on the pages before.
    pub later: bool,
    /// Something narrows the log.
    pub filtered: bool,
}

impl Body {
    /// Values and words of the select.
    pub fn outcomes() -> [(&'static str, &'static str); Outcome::ALL.len()] {
        Outcome::ALL.map(|outcome| (outcome.as_str(), filters::word(outcome.as_str())))
    }

    /// One of the filters that are seldom used is in use.
    pub fn more(&self) -> bool {
        ["identity", "rule", "from", "to", "request_id"]
            .into_iter()
            .any(|name| !self.form.value(name).is_empty())
    }

    /// What is wrong with the filters.
    pub fn problems(&self) -> Vec<(String, String)> {
        self.form.all_problems()
    }
}

/// `GET /o/{org}/log`
pub async fn log(
    State(state): State<DashboardState>,
    member: Member,
    RawQuery(text): RawQuery,
) -> Result<Page<Log>, ErrorPage> {
    let query = Query::read(text.as_deref().unwrap_or_default());
    let log = of(&state, &member, query, None).await?;
    Ok(Page(Log { frame: member.frame(&state, "log"), log }))
}

/// `GET /o/{org}/servers/{server}/log`
pub async fn server_log(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server)): At<(String, ServerId)>,
    RawQuery(text): RawQuery,
) -> Result<Page<ServerLog>, ErrorPage> {
    let view = View::of(&state, &member, server, "/log").await?;
    let query = Query::read(text.as_deref().unwrap_or_default());
    let log = of(&state, &member, query, Some(server)).await?;
    Ok(Page(ServerLog { frame: member.frame(&state, "servers"), view, log }))
}

async fn of(
    state: &DashboardState,
    member: &Member,
    mut query: Query,
    server: Option<ServerId>,
) -> Result<Body, ErrorPage> {
    let filtered = query.narrows();
    query.filter.server = server.or(query.filter.server);
    let (control, actor) = (&state.control, &member.actor);
    let hours = range(&query.filter, state.clock.now());
    let counts = control.histogram(actor, &filter(&query, hours)).await?;
    let page = control.decisions(actor, &query.filter, query.cursor, LIMIT).await?;
    let text = query.text(&[]);
    let (base, only) = match server {
        Some(id) => (member.path(&format!("/servers/{id}/log")), format!("&server={id}&view=server")),
        None => (member.path("/log"), String::new()),
    };
    Ok(Body {
        live: member.path(&format!("/log/live?{text}{only}")),
        export: member.path(&format!("/log/export?{text}{only}")),
        chart: chart(&counts, &query, hours.0, &base),
        servers: if server.is_none() { control.servers(actor).await? } else { Vec::new() },
        grants: control.grants(actor, server).await?,
        one_server: server.is_some(),
        later: query.cursor.is_some(),
        query: text,
        form: query.form,
        base,
        page,
        filtered,
    })
}
