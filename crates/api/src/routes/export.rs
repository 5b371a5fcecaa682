//! `/audit/export`: the log, streamed.

use audit::Format;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use control::Control;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::query::{Both, Parameters, Reader};
use crate::routes::decisions::DecisionFilter;

/// As what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportFormat {
    /// `ndjson`, one decision a line as the API shows it, or `csv`; `ndjson` when left out.
    #[param(example = "csv")]
    format: Option<String>,
}

/// Export decisions
///
/// Streams everything that fits, newest first. A stream that can't be completed breaks the connection.
#[utoipa::path(
    get, path = "/audit/export", tag = "audit", params(DecisionFilter, ExportFormat),
    responses(
        (status = 200, description = "The decisions.", content(
            (String = "application/x-ndjson", example = "{\"id\":\"0199c0de-7b1a-7cc3-98c4-dc0c0c07398f\", ...}"),
            (String = "text/csv", example = "id,decided_at,outcome,...")
        ))
    )
)]
pub(crate) async fn export_decisions(
    State(control): State<Control>,
    Caller(actor): Caller,
    Parameters(query): Parameters<Both<DecisionFilter, ExportFormat>>,
) -> Result<Response, Problem> {
    let mut reader = Reader::default();
    let filter = query.first.read(&mut reader);
    let format = format(query.second.format.as_deref(), &mut reader);
    reader.finish()?;
    let mut chunks = Box::pin(control.export(&actor, filter, format));
    // What is wrong from the start is still a problem document.
    let first = chunks.next().await.transpose()?;
    let body = Body::from_stream(stream::iter(first.map(Ok)).chain(chunks));
    let (kind, name) = match format {
        Format::Ndjson => ("application/x-ndjson", "attachment; filename=\"decisions.ndjson\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"decisions.csv\""),
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((headers.map(|(name, value)| (name, HeaderValue::from_static(value))), body).into_response())
}

fn format(text: Option<&str>, reader: &mut Reader) -> Format {
    match text {
        None | Some("ndjson") => Format::Ndjson,
        Some("csv") => Format::Csv,
        Some(other) => {
            let other: String = other.chars().take(80).collect();
            reader.refuse("format", &format!("`{other}` is not a format: use ndjson or csv"));
            Format::Ndjson
        }
    }
}
