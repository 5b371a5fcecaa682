//! `/o/{org}/servers`

use std::collections::HashMap;

use askama::Template;
use audit::ServerHour;
use axum::extract::State;
use chrono::{DateTime, Duration, Utc};
use control::Server;
use domain::ServerId;

use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::log::query::hour_after;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// Hours that the numbers are about.
pub const HOURS: i64 = 24;

/// The page.
#[derive(Template)]
#[template(path = "servers/list.html")]
pub struct List {
    pub frame: Frame,
    pub rows: Vec<ServerRow>,
}

/// A server with the last 24 hours of it.
#[derive(Clone, Debug)]
pub struct ServerRow {
    pub server: Server,
    /// Requests by hour, oldest first.
    pub hours: Vec<u64>,
    /// Those of them that were refused.
    pub refused: u64,
}

impl ServerRow {
    /// All requests.
    pub fn calls(&self) -> u64 {
        self.hours.iter().sum()
    }

    /// The refused part, such as `12 %`.
    pub fn refused_share(&self) -> String {
        match self.calls() {
            0 => "–".to_owned(),
            calls => format!("{} %", (self.refused * 100).div_ceil(calls)),
        }
    }
}

/// `GET /o/{org}/servers`
pub async fn list(State(state): State<DashboardState>, member: Member) -> Result<Page<List>, ErrorPage> {
    let rows = rows(&state, &member).await?;
    Ok(Page(List { frame: member.frame(&state, "servers"), rows }))
}

/// Every server with its last 24 hours.
pub async fn rows(state: &DashboardState, member: &Member) -> Result<Vec<ServerRow>, ErrorPage> {
    let start = hour_after(state.clock.now()) - Duration::hours(HOURS);
    let servers = state.control.servers(&member.actor).await?;
    let mut counts: HashMap<ServerId, Vec<ServerHour>> = HashMap::new();
    for hour in state.control.server_hours(&member.actor, start).await? {
        counts.entry(hour.server).or_default().push(hour);
    }
    let row = |server: Server| {
        let counts = counts.get(&server.id).map(Vec::as_slice).unwrap_or_default();
        let refused = counts.iter().map(|hour| hour.refused).sum();
        ServerRow { hours: by_hour(counts, start), refused, server }
    };
    Ok(servers.into_iter().map(row).collect())
}

fn by_hour(counts: &[ServerHour], start: DateTime<Utc>) -> Vec<u64> {
    let at = |hour: i64| start + Duration::hours(hour);
    let calls =
        |from: DateTime<Utc>| counts.iter().filter(|hour| hour.hour == from).map(|hour| hour.calls).sum();
    (0..HOURS).map(|hour| calls(at(hour))).collect()
}
