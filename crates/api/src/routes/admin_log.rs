//! `/admin-log`: who changed what in the organisation.

use axum::Json;
use axum::extract::State;
use control::{AdminEvent, Control};
use domain::AdminEventId;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::caller::Caller;
use crate::page::Page;
use crate::problem::Problem;
use crate::query::{Parameters, Reader};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AdminLogQuery {
    /// `next` of the page before.
    cursor: Option<String>,
    /// How many at most; 50 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    limit: Option<String>,
}

/// List changes
///
/// Needs the role `admin`.
#[utoipa::path(
    get, path = "/admin-log", tag = "admin log", params(AdminLogQuery),
    responses((status = 200, description = "Newest first.", body = Page<AdminEvent>))
)]
pub(crate) async fn list_admin_log(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<AdminLogQuery>,
) -> Result<Json<Page<AdminEvent>>, Problem> {
    let mut reader = Reader::default();
    let before: Option<AdminEventId> = reader.read("cursor", query.cursor.as_deref());
    let limit = reader.limit(query.limit.as_deref());
    reader.finish()?;
    let page = control.admin_log(&actor, before, limit).await?;
    Ok(Json(Page { items: page.events, next: page.next.map(|id| id.to_string()) }))
}
