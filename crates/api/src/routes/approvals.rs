//! `/approvals`: calls that wait for a person, and what a person says of them. Of the arguments of a call only the one question has
//! the values, for those who may decide.

use axum::Json;
use axum::extract::State;
use control::{Approval, ApprovalDetail, ApprovalFilter, ApprovalRemark, Control};
use domain::ApprovalId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::page::Page;
use crate::path::Id;
use crate::problem::Problem;
use crate::query::{Both, PageQuery, Parameters, Reader};

/// Which questions. Every filter narrows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ApprovalQuery {
    /// `pending`, `approved`, `used`, `refused`, `expired` or `withdrawn`.
    #[param(example = "pending")]
    pub state: Option<String>,
    /// Id of the server that the call is for.
    #[param(format = Uuid)]
    pub server: Option<String>,
}

/// List approvals
///
/// Calls that a rule of `approve_if` stopped, without the values of their arguments.
#[utoipa::path(
    get, path = "/approvals", tag = "approvals", params(ApprovalQuery, PageQuery),
    responses((status = 200, description = "Newest first.", body = Page<Approval>))
)]
pub(crate) async fn list_approvals(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<Both<ApprovalQuery, PageQuery>>,
) -> Result<Json<Page<Approval>>, Problem> {
    let mut reader = Reader::default();
    let filter = ApprovalFilter {
        state: reader.read("state", query.first.state.as_deref()),
        server: reader.read("server", query.first.server.as_deref()),
        before: reader.read("cursor", query.second.cursor.as_deref()),
    };
    let limit = reader.limit(query.second.limit.as_deref());
    reader.finish()?;
    let page = control.approvals(&actor, filter, limit.into()).await?;
    Ok(Json(Page { items: page.approvals, next: page.next.map(|id| id.to_string()) }))
}

/// Get an approval
///
/// While it waits, whoever has the role `editor` gets the arguments of the call too, secrets masked.
#[utoipa::path(
    get, path = "/approvals/{id}", tag = "approvals",
    params(("id" = Uuid, Path, description = "The approval: the id that the agent was told.")),
    responses((status = 200, description = "The approval.", body = ApprovalDetail))
)]
pub(crate) async fn get_approval(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ApprovalId>,
) -> Result<Json<ApprovalDetail>, Problem> {
    Ok(Json(control.approval(&actor, id).await?))
}

/// Approve a call
///
/// The grant that asked can make this very call once, until `usable_until`; the agent has to call again. Needs the role `editor`.
#[utoipa::path(
    post, path = "/approvals/{id}/approve", tag = "approvals", request_body = ApprovalRemark,
    params(("id" = Uuid, Path, description = "The approval: the id that the agent was told.")),
    responses((status = 200, description = "Approved.", body = Approval), Conflict)
)]
pub(crate) async fn approve_call(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ApprovalId>,
    Strict(body): Strict<ApprovalRemark>,
) -> Result<Json<Approval>, Problem> {
    Ok(Json(control.approve_call(&actor, id, &body).await?))
}

/// Refuse a call
///
/// The agent is told the note when it calls again. Needs the role `editor`.
#[utoipa::path(
    post, path = "/approvals/{id}/refuse", tag = "approvals", request_body = ApprovalRemark,
    params(("id" = Uuid, Path, description = "The approval: the id that the agent was told.")),
    responses((status = 200, description = "Refused.", body = Approval), Conflict)
)]
pub(crate) async fn refuse_call(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ApprovalId>,
    Strict(body): Strict<ApprovalRemark>,
) -> Result<Json<Approval>, Problem> {
    Ok(Json(control.refuse_call(&actor, id, &body).await?))
}
