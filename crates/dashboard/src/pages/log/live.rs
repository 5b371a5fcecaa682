//! `/o/{org}/log/live`: what is decided from now on, as server-sent events with rows of the log.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use audit::{Filter, Row, TailCursor};
use axum::extract::{RawQuery, State};
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use http::HeaderMap;
use tokio::time::{Instant, sleep};

use super::query::Query;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::text;
use crate::state::DashboardState;
use crate::view::filters;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);
/// A browser connects anew after that, so that a log-in that has ended is noticed.
const LONGEST: Duration = Duration::from_mins(5);

/// Rows as the page has them.
#[derive(Template)]
#[template(path = "log/live.html")]
pub struct Live {
    pub frame: Frame,
    pub rows: Vec<Row>,
    pub one_server: bool,
}

struct Watch {
    state: DashboardState,
    member: Member,
    filter: Filter,
    one_server: bool,
    after: TailCursor,
    until: Instant,
}

/// `GET /o/{org}/log/live`
pub async fn live(
    State(state): State<DashboardState>,
    member: Member,
    RawQuery(asked): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, ErrorPage> {
    let query = Query::read(asked.as_deref().unwrap_or_default());
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = match seen {
        Some(after) => after,
        None => state.control.tail_start(&member.actor).await?,
    };
    let one_server = query.form.value("view") == "server";
    let until = Instant::now() + LONGEST;
    let watch = Watch { state, member, filter: query.filter, one_server, after, until };
    Ok(Sse::new(unfold(watch, next)).keep_alive(KeepAlive::default()))
}

/// The next rows, as soon as there are some; the end when the time is over or the log can't be read.
async fn next(mut watch: Watch) -> Option<(Result<Event, Infallible>, Watch)> {
    while Instant::now() < watch.until {
        let tail = watch.state.control.tail(&watch.member.actor, &watch.filter, watch.after).await;
        let tail = tail.inspect_err(|error| tracing::warn!(%error, "the live tail ends")).ok()?;
        watch.after = tail.next;
        if !tail.rows.is_empty() {
            let mut rows = tail.rows;
            rows.reverse();
            let frame = watch.member.frame(&watch.state, "log");
            let html = text(&Live { frame, rows, one_server: watch.one_server })?;
            let event = Event::default().event("decisions").id(watch.after.to_string()).data(html);
            return Some((Ok(event), watch));
        }
        sleep(PAUSE).await;
    }
    None
}
