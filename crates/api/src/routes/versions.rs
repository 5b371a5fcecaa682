//! `/policies/{id}/versions` and `/diff`: what a policy said, who made it say so, and what changed.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use control::{Control, Diff, Policy, PolicyVersion, SavePolicy};
use domain::PolicyId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::body::Strict;
use crate::caller::Caller;
use crate::document::Conflict;
use crate::page::Page;
use crate::path::{Id, Version};
use crate::policy_text::PolicyText;
use crate::problem::Problem;
use crate::query::{Parameters, Reader};

/// A new version of a policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    /// The version that the document was made from. When another one is in force by now, it is a conflict.
    #[schema(example = 1)]
    expected_version: u32,
    /// The document. Stored as it is written.
    document: PolicyText,
}

/// Which versions to compare.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Between {
    /// The older version.
    #[param(value_type = u32, required, minimum = 1)]
    from: Option<String>,
    /// The newer version.
    #[param(value_type = u32, required, minimum = 1)]
    to: Option<String>,
}

/// List the versions of a policy
#[utoipa::path(
    get, path = "/policies/{id}/versions", tag = "policies",
    params(("id" = Uuid, Path, description = "The policy.")),
    responses((status = 200, description = "Newest first.", body = Page<PolicyVersion>))
)]
pub(crate) async fn list_versions(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
) -> Result<Json<Page<PolicyVersion>>, Problem> {
    Ok(Json(Page::whole(control.policy_history(&actor, id).await?)))
}

/// Save a new version
///
/// It is in force for the next call that starts after the answer. Needs the role `editor`.
#[utoipa::path(
    post, path = "/policies/{id}/versions", tag = "policies", request_body = NewVersion,
    params(("id" = Uuid, Path, description = "The policy.")),
    responses((status = 201, description = "Saved, and in force.", body = Policy), Conflict)
)]
pub(crate) async fn save_version(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
    Strict(body): Strict<NewVersion>,
) -> Result<(StatusCode, Json<Policy>), Problem> {
    let input = SavePolicy { expected_version: body.expected_version, document: body.document.into_text() };
    Ok((StatusCode::CREATED, Json(control.save_policy(&actor, id, &input).await?)))
}

/// Get a version
#[utoipa::path(
    get, path = "/policies/{id}/versions/{version}", tag = "policies",
    params(
        ("id" = Uuid, Path, description = "The policy."),
        ("version" = u32, Path, description = "From 1.")
    ),
    responses((status = 200, description = "The policy as it was.", body = Policy))
)]
pub(crate) async fn get_version(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
    Version(version): Version,
) -> Result<Json<Policy>, Problem> {
    Ok(Json(control.policy(&actor, id, Some(version)).await?))
}

/// Compare two versions
#[utoipa::path(
    get, path = "/policies/{id}/diff", tag = "policies",
    params(("id" = Uuid, Path, description = "The policy."), Between),
    responses((status = 200, description = "Line by line.", body = Diff))
)]
pub(crate) async fn diff_versions(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<PolicyId>,
    Parameters(between): Parameters<Between>,
) -> Result<Json<Diff>, Problem> {
    let (from, to) = between.read()?;
    Ok(Json(control.policy_diff(&actor, id, from, to).await?))
}

impl Between {
    fn read(&self) -> Result<(u32, u32), Problem> {
        let mut reader = Reader::default();
        let from = reader.version("from", self.from.as_deref());
        let to = reader.version("to", self.to.as_deref());
        reader.finish()?;
        Ok((from.unwrap_or_default(), to.unwrap_or_default()))
    }
}
