//! `/servers/{id}/policies/simulate` and `/matrix`: what a document would do, saved or not. Nothing is taken or called.

use axum::Json;
use axum::extract::State;
use control::{CallContext, Control, MatrixInput, PolicyMatrix, Simulation, SimulationResult};
use domain::ServerId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::body::Strict;
use crate::caller::Caller;
use crate::path::Id;
use crate::policy_text::{ArgumentsText, PolicyText};
use crate::problem::Problem;

/// A call to try a document on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Simulation)]
pub(crate) struct SimulationBody {
    /// The document.
    document: PolicyText,
    /// The tool called.
    #[schema(example = "flowforge_retry_run")]
    tool: String,
    /// Its arguments; none when left out.
    arguments: Option<ArgumentsText>,
    /// Who would call, and from where.
    #[serde(default)]
    context: CallContext,
}

/// A document to hold against what is in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatrixRequest)]
pub(crate) struct MatrixBody {
    /// The document.
    document: PolicyText,
    /// The policy whose version in force stands beside it, one of the server's; without one, a grant that has no policy.
    #[schema(value_type = Option<String>, format = Uuid)]
    beside: Option<String>,
    /// Who would call, and from where.
    #[serde(default)]
    context: CallContext,
}

/// Try a policy document on one call
///
/// As if no limit were used yet; takes from none and calls nothing. What would be taken is named.
#[utoipa::path(
    post, path = "/servers/{id}/policies/simulate", tag = "policies", request_body = SimulationBody,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "What would become of the call.", body = SimulationResult))
)]
pub(crate) async fn simulate_call(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<SimulationBody>,
) -> Result<Json<SimulationResult>, Problem> {
    Ok(Json(control.simulate(&actor, id, &body.into()).await?))
}

/// Compare what a policy document does to all tools
///
/// With the version in force: what a call without arguments would get under each, and whether anything that they say of a
/// tool differs. Saves nothing, takes nothing, calls nothing.
#[utoipa::path(
    post, path = "/servers/{id}/policies/matrix", tag = "policies", request_body = MatrixBody,
    params(("id" = Uuid, Path, description = "The server.")),
    responses((status = 200, description = "A row a tool of the server.", body = PolicyMatrix))
)]
pub(crate) async fn compare_tools(
    State(control): State<Control>,
    Caller(actor): Caller,
    Id(id): Id<ServerId>,
    Strict(body): Strict<MatrixBody>,
) -> Result<Json<PolicyMatrix>, Problem> {
    Ok(Json(control.policy_matrix(&actor, id, &body.into()).await?))
}

impl From<SimulationBody> for Simulation {
    fn from(body: SimulationBody) -> Self {
        Self {
            document: body.document.into_text(),
            tool: body.tool,
            arguments: body.arguments.map(ArgumentsText::into_text).unwrap_or_default(),
            context: body.context,
        }
    }
}

impl From<MatrixBody> for MatrixInput {
    fn from(body: MatrixBody) -> Self {
        Self { document: body.document.into_text(), beside: body.beside, context: body.context }
    }
}
