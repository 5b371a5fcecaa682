//! From a record of the stream, and what the ledger wrote beside it, to a row.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Outcome;
use ledger::LimitMark;

use crate::sizes::{self, KEY, KEYS, LONG, SHORT};
use crate::stored::{Ending, Stored};
use crate::{Closing, Decision, LimitNote, ShadowNote};

/// What the ledger wrote beside a decision.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks {
    pub limit: Option<LimitMark>,
    pub over: bool,
    pub shadow: Option<LimitMark>,
    pub counted_for: Option<u32>,
}

/// The row of a decision.
pub(crate) fn decision(decision: &Decision, marks: Marks) -> Stored {
    let mut row = facts(decision);
    let note = |mark: LimitMark| {
        decision.limits.get(mark.index).cloned().unwrap_or_else(|| LimitNote {
            rule: "(limit)".to_owned(),
            message: "a limit is used up".to_owned(),
        })
    };
    if let Some(mark) = marks.limit {
        let note = note(mark);
        if marks.over {
            Outcome::Limit.as_str().clone_into(&mut row.decided);
            row.forwards = false;
            row.rule = short(&note.rule);
            row.message = clip(&note.message, LONG);
        }
        row.limit_rule = short(&note.rule);
        row.limit_used = Some(signed(mark.used));
        row.limit_max = Some(signed(mark.max));
        row.limit_resets_at = Some(mark.resets_at);
    }
    // A shadow rule comes before the limits, so it would have refused first.
    let limit = marks.shadow.map(note);
    let shadow = decision.shadow.clone().or_else(|| {
        limit.map(|note| ShadowNote { outcome: Outcome::Limit, rule: note.rule, message: note.message })
    });
    if let Some(shadow) = shadow {
        row.shadow_outcome = Some(shadow.outcome.as_str().to_owned());
        row.shadow_rule = short(&shadow.rule);
        row.shadow_message = clip(&shadow.message, LONG);
    }
    row.counting_until =
        marks.counted_for.map(|seconds| row.decided_at + Duration::from_secs(u64::from(seconds)));
    row
}

/// What the record itself says.
fn facts(decision: &Decision) -> Stored {
    let text = |text: &Option<String>| text.as_deref().and_then(short);
    let (server, grant, policy) = (&decision.server, &decision.grant, &decision.policy);
    let mut argument_keys: Vec<String> =
        decision.argument_keys.iter().take(KEYS).filter_map(|key| clip(key, KEY)).collect();
    argument_keys.sort_unstable();
    Stored {
        tenant_id: decision.tenant.uuid(),
        decided_at: micros(decision.decided_at),
        id: decision.id.uuid(),
        decided: decision.outcome.as_str().to_owned(),
        forwards: decision.forwards,
        server_id: server.as_ref().map(|server| server.id.uuid()),
        server_name: server.as_ref().and_then(|server| short(&server.name)),
        grant_id: grant.as_ref().map(|grant| grant.id.uuid()),
        grant_label: grant.as_ref().and_then(|grant| short(&grant.label)),
        identity: grant.as_ref().and_then(|grant| short(&grant.identity)),
        client_name: text(&decision.client.name),
        client_version: text(&decision.client.version),
        address: text(&decision.address),
        protocol_version: text(&decision.protocol_version),
        method: text(&decision.method),
        tool: text(&decision.tool),
        rule: text(&decision.rule),
        message: decision.message.as_deref().and_then(|message| clip(message, LONG)),
        condition: decision.condition.as_deref().and_then(|condition| clip(condition, LONG)),
        policy_id: policy.as_ref().map(|policy| policy.id.uuid()),
        policy_name: policy.as_ref().and_then(|policy| short(&policy.name)),
        policy_version: policy.as_ref().map(|policy| i32::try_from(policy.version).unwrap_or(i32::MAX)),
        argument_keys,
        argument_digest: text(&decision.argument_digest),
        trace_id: text(&decision.trace_id),
        judged_micros: decision.judged_micros.map(signed),
        request_bytes: decision.request_bytes.map(signed),
        ..Stored::default()
    }
}

/// The ending that a closing gives.
pub(crate) fn ending(closing: &Closing, gave_back: bool) -> Ending {
    Ending {
        decided_at: micros(closing.decided_at),
        id: closing.id.uuid(),
        closed_at: micros(closing.closed_at),
        lost: None,
        failed: Some(closing.failed),
        failure: closing.failure.as_deref().and_then(|failure| clip(failure, LONG)),
        upstream_status: closing.upstream_status.map(i32::from),
        gateway_micros: closing.gateway_micros.map(signed),
        upstream_micros: closing.upstream_micros.map(signed),
        response_bytes: closing.response_bytes.map(signed),
        refunded: Some(gave_back),
        repeats: closing.repeats.map(signed),
    }
}

/// To the microsecond, as Postgres keeps it: what is hashed must be what is read back.
fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn short(text: &str) -> Option<String> {
    clip(text, SHORT)
}

/// At most so many characters; none of nothing. Postgres keeps no NUL in a text.
fn clip(text: &str, most: usize) -> Option<String> {
    let clipped = sizes::clip(text, most);
    (!clipped.is_empty()).then(|| clipped.replace('\0', "\u{fffd}"))
}
