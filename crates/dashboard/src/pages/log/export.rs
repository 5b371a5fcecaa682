//! `/o/{org}/log/export`: everything that the filters let through, as a file.

use audit::Format;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::query::Query;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::state::DashboardState;

/// `GET /o/{org}/log/export?format=csv`, or `ndjson`.
pub async fn export(
    State(state): State<DashboardState>,
    member: Member,
    RawQuery(text): RawQuery,
) -> Result<Response, ErrorPage> {
    let query = Query::read(text.as_deref().unwrap_or_default());
    if let Some((field, problem)) = query.form.all_problems().into_iter().next() {
        return Err(ErrorPage::Invalid(format!("`{field}`: {problem}")));
    }
    let (format, kind, ending) = match query.form.value("format") {
        "ndjson" => (Format::Ndjson, "application/x-ndjson", "ndjson"),
        _ => (Format::Csv, "text/csv; charset=utf-8", "csv"),
    };
    let day = state.clock.now().format("%Y-%m-%d");
    let name = format!("attachment; filename=\"tollgate-log-{day}.{ending}\"");
    let chunks = state.control.export(&member.actor, query.filter, format);
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(chunks)).into_response())
}
