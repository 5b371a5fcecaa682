//! Where a question about a call stands, in the words and colours of the pages.

use chrono::{DateTime, Utc};
use control::Approval;
use domain::ApprovalState;

/// The state in a word.
pub fn word(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "Waiting",
        ApprovalState::Approved => "Approved",
        ApprovalState::Used => "Used",
        ApprovalState::Refused => "Refused",
        ApprovalState::Expired => "Expired",
        ApprovalState::Withdrawn => "Withdrawn",
    }
}

/// The outcome whose colour and symbol the state has.
pub fn outcome(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Pending => "pending",
        ApprovalState::Approved | ApprovalState::Used => "allow",
        ApprovalState::Refused => "deny",
        ApprovalState::Expired | ApprovalState::Withdrawn => "hidden",
    }
}

/// Where it stands, and who brought it there.
pub fn sentence(approval: &Approval) -> String {
    let by = approval.decided_by.as_deref();
    match (approval.state, by, approval.usable_until) {
        (ApprovalState::Pending, ..) => format!("it waits for a person until {}", time(approval.expires_at)),
        (ApprovalState::Approved, Some(by), Some(until)) => {
            format!("approved by {by}: the call can be made once, until {}", time(until))
        }
        (ApprovalState::Used, Some(by), _) => format!("approved by {by}, and the call was made"),
        (ApprovalState::Refused, Some(by), _) => match &approval.note {
            Some(note) => format!("refused by {by}: {note}"),
            None => format!("refused by {by}"),
        },
        (ApprovalState::Withdrawn, ..) => "the client no longer wants to make the call".to_owned(),
        (_, Some(by), _) => format!("approved by {by}, and the call was not made in time"),
        (_, None, _) => "nobody decided in time: when the agent calls again, it is asked anew".to_owned(),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
