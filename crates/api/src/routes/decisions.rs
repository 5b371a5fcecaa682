//! `/audit/decisions` and `/audit/histogram`: what became of every request. The export is next door.

use audit::{Cursor, Filter, HourBar, Row};
use axum::Json;
use axum::extract::State;
use control::{CallTemplate, Control};
use domain::{DecisionId, Outcome};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::caller::Caller;
use crate::page::Page;
use crate::path::Id;
use crate::problem::Problem;
use crate::query::{Both, PageQuery, Parameters, Reader};

/// Which decisions. Every filter narrows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DecisionFilter {
    /// Id of the server called.
    #[param(format = Uuid)]
    pub server: Option<String>,
    /// Id of the grant used.
    #[param(format = Uuid)]
    pub grant: Option<String>,
    /// Who acted, exactly.
    #[param(example = "ci@example.com")]
    pub identity: Option<String>,
    /// The tool, exactly; with a `*` at the end, tools that begin so.
    #[param(example = "flowforge_delete_*")]
    pub tool: Option<String>,
    /// `allow`, `deny`, `hidden`, `limit`, `pending`, `error`, `unauthenticated`, `malformed`; several with commas.
    #[param(example = "deny,limit")]
    pub outcome: Option<String>,
    /// The rule that refused it, exactly.
    pub rule: Option<String>,
    /// Decided at or after this time (RFC 3339).
    #[param(format = DateTime)]
    pub from: Option<String>,
    /// Decided before this time (RFC 3339).
    #[param(format = DateTime)]
    pub to: Option<String>,
    /// The request id that the agent was told.
    #[param(format = Uuid)]
    pub request_id: Option<String>,
}

/// List decisions
#[utoipa::path(
    get, path = "/audit/decisions", tag = "audit", params(DecisionFilter, PageQuery),
    responses((status = 200, description = "Newest first.", body = Page<Row>))
)]
pub(crate) async fn list_decisions(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<Both<DecisionFilter, PageQuery>>,
) -> Result<Json<Page<Row>>, Problem> {
    let mut reader = Reader::default();
    let filter = query.first.read(&mut reader);
    let after: Option<Cursor> = reader.read("cursor", query.second.cursor.as_deref());
    let limit = reader.limit(query.second.limit.as_deref());
    reader.finish()?;
    let page = control.decisions(&actor, &filter, after, limit).await?;
    Ok(Json(Page { items: page.rows, next: page.next.map(|cursor| cursor.to_string()) }))
}

/// Get a decision
#[utoipa::path(
    get, path = "/audit/decisions/{id}", tag = "audit",
    params(("id" = uuid::Uuid, Path, description = "The decision: the request id that the agent was told.")),
    responses((status = 200, description = "The decision.", body = Row))
)]
pub(crate) async fn get_decision(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<DecisionId>,
) -> Result<Json<Row>, Problem> {
    Ok(Json(control.decision(&actor, id).await?))
}

/// Get the call of a decision
///
/// To try a policy on it. The log has the keys of its arguments and never their values: placeholders stand in for them. A
/// decision about no tool has no call.
#[utoipa::path(
    get, path = "/audit/decisions/{id}/call", tag = "audit",
    params(("id" = uuid::Uuid, Path, description = "The decision: the request id that the agent was told.")),
    responses((status = 200, description = "What a simulation takes.", body = CallTemplate))
)]
pub(crate) async fn get_call_of_decision(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<DecisionId>,
) -> Result<Json<CallTemplate>, Problem> {
    Ok(Json(control.call_of_decision(&actor, id).await?))
}

/// Count decisions by hour and outcome
#[utoipa::path(
    get, path = "/audit/histogram", tag = "audit", params(DecisionFilter),
    responses((status = 200, description = "Oldest hour first; hours without any are left out.", body = Page<HourBar>))
)]
pub(crate) async fn get_histogram(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<DecisionFilter>,
) -> Result<Json<Page<HourBar>>, Problem> {
    let mut reader = Reader::default();
    let filter = query.read(&mut reader);
    reader.finish()?;
    Ok(Json(Page::whole(control.histogram(&actor, &filter).await?)))
}

impl DecisionFilter {
    /// The filter as the log understands it.
    pub(crate) fn read(&self, reader: &mut Reader) -> Filter {
        let outcomes = self.outcome.as_deref().unwrap_or_default();
        Filter {
            server: reader.read("server", self.server.as_deref()),
            grant: reader.read("grant", self.grant.as_deref()),
            identity: self.identity.clone(),
            tool: self.tool.clone(),
            outcomes: outcomes
                .split(',')
                .filter(|word| !word.is_empty())
                .filter_map(|word| reader.read::<Outcome>("outcome", Some(word)))
                .collect(),
            rule: self.rule.clone(),
            from: reader.time("from", self.from.as_deref()),
            to: reader.time("to", self.to.as_deref()),
            request_id: reader.read("request_id", self.request_id.as_deref()),
        }
    }
}
