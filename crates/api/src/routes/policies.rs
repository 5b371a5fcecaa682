//! `/policies` and `/servers/{id}/policies`: what agents may do. Versions and simulations are next door.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{Control, NewPolicy, Policy, PolicyCheck, PolicyName, PolicySummary};
use domain::{PolicyId, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::page::Page;
use crate::path::Id;
use crate::policy_text::PolicyText;
use crate::problem::Problem;

/// A policy to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPolicy)]
pub(crate) struct NewPolicyBody {
    /// 1 to 80 characters, unique among the server's policies.
    #[schema(example = "read only")]
    name: String,
    /// The document. Stored as it is written.
    document: PolicyText,
}

/// A policy document.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyDocument {
    /// The document.
    document: PolicyText,
}

/// A document that was written for a server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyProposal {
    /// The text of the document.
    document: String,
}

/// List all policies
#[utoipa::path(
    get, path = "/policies", tag = "policies",
    responses((status = 200, description = "Of all servers, by name.", body = Page<PolicySummary>))
)]
pub(crate) async fn list_policies(
    State(control): State<Control>,
    Caller(actor): Caller,
) -> Result<Json<Page<PolicySummary>>, Problem> {
    Ok(Json(Page::whole(control.policies(&actor, None).await?)))
}

/// Get the JSON Schema of the policy language
#[utoipa::path(
    get, path = "/policies/schema", tag = "policies", security(()),
    responses((status = 200, description = "For editors.", body = serde_json::Value))
)]
pub(crate) async fn get_policy_schema() -> Json<serde_json::Value> {
    Json(policy::schema())
}

/// List the policies of a server
#[utoipa::path(
    get, path = "/servers/{id}/policies", tag = "policies",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "By name.", body = Page<PolicySummary>))
)]
pub(crate) async fn list_server_policies(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<Page<PolicySummary>>, Problem> {
    Ok(Json(Page::whole(control.policies(&actor, Some(id)).await?)))
}

/// Make a policy
///
/// At version 1. No grant is judged by it until it is attached. Needs the role `editor`.
#[utoipa::path(
    post, path = "/servers/{id}/policies", tag = "policies", request_body = NewPolicyBody,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 201, description = "Made.", body = Policy), Conflict)
)]
pub(crate) async fn create_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<NewPolicyBody>,
) -> Result<(StatusCode, Json<Policy>), Problem> {
    let input = NewPolicy { name: body.name, document: body.document.into_text() };
    Ok((StatusCode::CREATED, Json(control.create_policy(&actor, id, &input).await?)))
}

/// Check a policy document
///
/// Against the tools of the server; saves nothing. What stands against saving it is a report, not a refusal.
#[utoipa::path(
    post, path = "/servers/{id}/policies/check", tag = "policies", request_body = PolicyDocument,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "Problems, warnings, and what it does to each tool.", body = PolicyCheck))
)]
pub(crate) async fn check_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<PolicyDocument>,
) -> Result<Json<PolicyCheck>, Problem> {
    Ok(Json(control.check_policy(&actor, id, &body.document.into_text()).await?))
}

/// Propose a first policy for a server
///
/// From what its tools are: reading allowed, writing limited, destroying hidden. Saves nothing.
#[utoipa::path(
    get, path = "/servers/{id}/policies/proposal", tag = "policies",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "A document to start from.", body = PolicyProposal))
)]
pub(crate) async fn propose_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<PolicyProposal>, Problem> {
    Ok(Json(PolicyProposal { document: control.propose_policy(&actor, id).await? }))
}

/// List policies to start from
///
/// Those that were written for servers like this one; none where most of its tools are not known.
#[utoipa::path(
    get, path = "/servers/{id}/policies/presets", tag = "policies",
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "With their documents.", body = Page<control::Preset>))
)]
pub(crate) async fn list_presets(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
) -> Result<Json<Page<control::Preset>>, Problem> {
    Ok(Json(Page::whole(control.policy_presets(&actor, id).await?)))
}

/// Get a policy
#[utoipa::path(
    get, path = "/policies/{id}", tag = "policies", params(("id" = Uuid, Path, description = "The policy.")),
    responses((status = 200, description = "At the version in force.", body = Policy))
)]
pub(crate) async fn get_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
) -> Result<Json<Policy>, Problem> {
    Ok(Json(control.policy(&actor, id, None).await?))
}

/// Rename a policy
///
/// Needs the role `editor`.
#[utoipa::path(
    patch, path = "/policies/{id}", tag = "policies", request_body = PolicyName,
    params(("id" = Uuid, Path, description = "The policy.")),
    responses((status = 200, description = "Renamed.", body = PolicySummary))
)]
pub(crate) async fn rename_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
    Strict(body): Strict<PolicyName>,
) -> Result<Json<PolicySummary>, Problem> {
    Ok(Json(control.rename_policy(&actor, id, &body).await?))
}

/// Delete a policy
///
/// Refused while a working grant is judged by it. Needs the role `editor`.
#[utoipa::path(
    delete, path = "/policies/{id}", tag = "policies", params(("id" = Uuid, Path, description = "The policy.")),
    responses((status = 204, description = "Deleted."), Conflict)
)]
pub(crate) async fn delete_policy(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
) -> Result<StatusCode, Problem> {
    control.delete_policy(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
