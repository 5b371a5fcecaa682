//! `/admin-log`: who changed what in the organisation.

use axum::Json;
use axum::extract::State;
use control::{AdminEvent, Control};
use domain::AdminEventId;

use crate::caller::Caller;
use crate::page::Page;
use crate::problem::Problem;
use crate::query::{PageQuery, Parameters, Reader};

/// List changes
///
/// Needs the role `admin`.
#[utoipa::path(
    get, path = "/admin-log", tag = "admin log", params(PageQuery),
    responses((status = 200, description = "Newest first.", body = Page<AdminEvent>))
)]
pub(crate) async fn list_admin_log(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<PageQuery>,
) -> Result<Json<Page<AdminEvent>>, Problem> {
    let mut reader = Reader::default();
    let before: Option<AdminEventId> = reader.read("cursor", query.cursor.as_deref());
    let limit = reader.limit(query.limit.as_deref());
    reader.finish()?;
    let page = control.admin_log(&actor, before, limit.into()).await?;
    Ok(Json(Page { items: page.events, next: page.next.map(|id| id.to_string()) }))
}
