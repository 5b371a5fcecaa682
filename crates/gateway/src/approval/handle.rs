//! The handle of a call that waits for a person, for clients that work with tasks. It stands for the approval and not for the call:
//! when a person has decided, its result tells the client to call again. So every call that goes on has a client that waits
//! for it, and nothing of a call is kept to be run later.

use std::sync::Arc;

use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{ApprovalId, ApprovalState};
use mcp::handle::{Handle, Stage, acknowledged};
use mcp::{Request, TaskMethod};
use serde_json::json;
use storage::ApprovalRow;

use super::question::Question;
use super::unavailable;
use crate::denial::{self, Denial};
use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::{Gateway, GatewayState};
use crate::tasks;

/// Milliseconds that a client leaves between two questions.
const POLL_MS: u64 = 5_000;

/// The answer to a call that waits: its handle.
pub(super) fn made(
    gateway: &Gateway,
    view: &GrantView,
    request: &Request<'_>,
    denial: &Denial,
    question: &Question,
) -> Result<Response, Refusal> {
    let tool = request.param("name").and_then(json::Value::as_str).unwrap_or_default();
    let task = tasks::name_approval(gateway, view, tool, question.id).ok_or(Refusal::Internal)?;
    let now = gateway.parts.clock.now();
    let message = denial.text();
    let left = question.expires_at - now;
    let handle = Handle {
        task: &task,
        created_at: &time(now),
        updated_at: &time(now),
        lives_ms: millis(left),
        poll_ms: POLL_MS,
        message: &message,
    };
    Ok(denial::json(handle.made(&request.id)))
}

/// The answer to a question about a handle, which was judged and recorded.
pub(crate) async fn answer(
    gateway: &GatewayState,
    view: &Arc<GrantView>,
    request: &Request<'_>,
    (method, approval): (TaskMethod, ApprovalId),
) -> Result<Response, Refusal> {
    let now = gateway.parts.clock.now();
    let working = async {
        let mut tx = gateway.parts.storage.tenant(view.tenant).await?;
        if method == TaskMethod::Cancel {
            tx.withdraw_question(view.grant, approval).await?;
        }
        let row = tx.approval_of_grant(view.grant, approval, now).await?;
        tx.commit().await?;
        Ok(row)
    };
    let row = working.await.map_err(|error| unavailable(&error))?;
    let row = row.ok_or_else(|| mcp::tasks::not_found(request.era, Some(request)))?;
    let body = match method {
        TaskMethod::Get => stands(gateway, request, &row),
        _ => acknowledged(&request.id),
    };
    Ok(denial::json(body))
}

fn stands(gateway: &Gateway, request: &Request<'_>, row: &ApprovalRow) -> Vec<u8> {
    let task = request.param("taskId").and_then(json::Value::as_str).unwrap_or_default();
    let (asked_at, _) = row.asked;
    let updated_at = row.decided.as_ref().map_or(asked_at, |(_, at)| *at);
    let text = text(gateway, row);
    let handle = Handle {
        task,
        created_at: &time(asked_at),
        updated_at: &time(updated_at),
        lives_ms: millis(row.expires_at.max(row.usable_until.unwrap_or(row.expires_at)) - asked_at),
        poll_ms: POLL_MS,
        message: &text,
    };
    let stage = match row.state {
        ApprovalState::Pending => Stage::Waiting,
        ApprovalState::Withdrawn => Stage::Cancelled,
        _ => Stage::Completed(json!({
            "resultType": "complete",
            // The tool was not called: nobody is to take this for its result.
            "isError": true,
            "content": [{ "type": "text", "text": text }],
        })),
    };
    handle.stands(&request.id, stage)
}

fn text(gateway: &Gateway, row: &ApprovalRow) -> String {
    let tool = &row.tool;
    match (row.state, &row.note, row.usable_until) {
        (ApprovalState::Pending, ..) => {
            format!("approval {} waits for a person at {}", row.id, gateway.approval_url(row.id))
        }
        (ApprovalState::Approved, _, Some(until)) => {
            format!("approved: call `{tool}` again with the same arguments, once, until {}", time(until))
        }
        (ApprovalState::Refused, Some(note), _) => format!("a person refused this call: {note}"),
        (ApprovalState::Refused, None, _) => "a person refused this call".to_owned(),
        (ApprovalState::Used, ..) => format!("approved, and `{tool}` was called with it"),
        (ApprovalState::Withdrawn, ..) => "withdrawn".to_owned(),
        _ => format!("nobody approved in time: call `{tool}` again to ask anew"),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn millis(span: chrono::TimeDelta) -> u64 {
    u64::try_from(span.num_milliseconds()).unwrap_or(0)
}
