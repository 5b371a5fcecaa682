//! A question about a call as people and programs see it: everything but the values of the call's arguments.

use chrono::{DateTime, Utc};
use domain::{ApprovalId, ApprovalState, DecisionId, GrantId, NameError, PolicyId, Remark, ServerId};
use serde::{Deserialize, Serialize};
use storage::ApprovalRow;
use utoipa::ToSchema;

use super::ShownArguments;

/// Which questions to list. Every filter narrows.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApprovalFilter {
    /// Those in this state.
    pub state: Option<ApprovalState>,
    /// Those about calls of this server.
    pub server: Option<ServerId>,
    /// Those that are older than this one, which was listed last.
    pub before: Option<ApprovalId>,
}

/// A question about a call, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Approval {
    /// Its id; ids rise with time.
    #[schema(value_type = String, format = Uuid)]
    pub id: ApprovalId,
    /// `pending` (it waits for a person), `approved` (and the call was not made yet), `used` (it was), `refused`, `expired` (nobody
    /// decided, or made the call, in time) or `withdrawn` (the client no longer wants to make it).
    #[schema(value_type = String, example = "pending")]
    pub state: ApprovalState,
    /// The server that the call is for.
    #[schema(value_type = String, format = Uuid)]
    pub server_id: ServerId,
    /// That server's name.
    pub server_name: String,
    /// The grant that calls.
    #[schema(value_type = String, format = Uuid)]
    pub grant_id: GrantId,
    /// That grant's label.
    pub grant_label: String,
    /// Who acts through it.
    pub identity: String,
    /// Whether the grant is revoked or has expired: then the call can't be made, whatever is decided.
    pub grant_ended: bool,
    /// The tool that is called.
    pub tool: String,
    /// Keys of the call's arguments, sorted.
    pub argument_keys: Vec<String>,
    /// Keyed hash of the arguments, in hexadecimal, as in the log; empty where there are none. The same arguments have the same.
    pub argument_digest: String,
    /// JSON Pointer of the rule that asks.
    #[schema(example = "/tools/flowforge_send_event/approve_if/0")]
    pub rule: String,
    /// That rule's message.
    pub message: String,
    /// The policy that the rule is in, as it was when it asked.
    pub policy: Option<ApprovalPolicy>,
    /// The client, in its own words.
    pub client_name: Option<String>,
    /// Its version, in its own words.
    pub client_version: Option<String>,
    /// When the call came first.
    pub asked_at: DateTime<Utc>,
    /// That call's decision in the log.
    #[schema(value_type = String, format = Uuid)]
    pub asked_decision_id: DecisionId,
    /// Until when it waits for a person.
    pub expires_at: DateTime<Utc>,
    /// How long the call can be made once it is approved, in seconds.
    pub lives_seconds: u32,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// What they said to the agent.
    pub note: Option<String>,
    /// Until when the call that was approved can be made, once.
    pub usable_until: Option<DateTime<Utc>>,
    /// When it was made.
    pub used_at: Option<DateTime<Utc>>,
    /// That call's decision in the log.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub used_decision_id: Option<DecisionId>,
}

/// The policy whose rule asks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApprovalPolicy {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: PolicyId,
    /// Its name.
    pub name: String,
    /// The version that judged the call.
    pub version: u32,
}

/// A question with the arguments of its call.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApprovalDetail {
    /// The question.
    #[serde(flatten)]
    pub approval: Approval,
    /// The arguments of the call; null where it has none, the question no longer waits, or the reader may not decide.
    pub arguments: Option<ShownArguments>,
}

/// Some questions, newest first.
#[derive(Clone, Debug)]
pub struct ApprovalPage {
    /// Newest first.
    pub approvals: Vec<Approval>,
    /// Where the next page begins; none on the last.
    pub next: Option<ApprovalId>,
}

/// What somebody who decides says to the agent.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRemark {
    /// At most 500 characters, no control characters. An agent whose call is refused is told it.
    #[serde(default)]
    #[schema(example = "Use the staging project.")]
    pub note: Option<String>,
}

impl ApprovalFilter {
    pub(super) fn stored(self) -> storage::ApprovalFilter {
        let Self { state, server, before } = self;
        storage::ApprovalFilter { state, server, before, ..storage::ApprovalFilter::default() }
    }
}

impl ApprovalRemark {
    /// What is said; nothing where nothing was typed.
    pub(super) fn read(&self) -> Result<Option<Remark>, NameError> {
        self.note.as_deref().filter(|text| !text.trim().is_empty()).map(str::parse).transpose()
    }
}

impl Approval {
    pub(super) fn of(row: ApprovalRow) -> Self {
        let (decided_by, decided_at) = row.decided.unzip();
        let (used_at, used_decision_id) = row.used.unzip();
        Self {
            id: row.id,
            state: row.state,
            server_id: row.server,
            server_name: row.server_name,
            grant_id: row.grant,
            grant_label: row.grant_label,
            identity: row.identity,
            grant_ended: row.grant_revoked,
            tool: row.tool,
            argument_keys: row.argument_keys,
            argument_digest: row.argument_digest,
            rule: row.rule,
            message: row.message,
            policy: row.policy.map(|(id, name, version)| ApprovalPolicy { id, name, version }),
            client_name: row.client.0,
            client_version: row.client.1,
            asked_at: row.asked.0,
            asked_decision_id: row.asked.1,
            expires_at: row.expires_at,
            lives_seconds: row.lives_seconds,
            decided_by,
            decided_at,
            note: row.note,
            usable_until: row.usable_until,
            used_at,
            used_decision_id,
        }
    }
}

/// What became of a question that is not to be decided any more.
pub(super) fn fate(row: &ApprovalRow) -> String {
    let by = row.decided.as_ref().map(|(who, at)| (who.as_str(), time(*at)));
    match (row.state, by) {
        (ApprovalState::Withdrawn, _) => {
            "the client has withdrawn the call: there is nothing to decide".to_owned()
        }
        (ApprovalState::Refused, Some((who, at))) => format!("it was refused by {who} at {at}"),
        (ApprovalState::Used, Some((who, at))) => {
            format!("it was approved by {who} at {at}, and the call was made")
        }
        (ApprovalState::Approved, Some((who, at))) => format!("it was approved by {who} at {at}"),
        (_, Some((who, at))) => {
            format!("it was approved by {who} at {at}, and the call was not made in time")
        }
        (_, None) => {
            let until = time(row.expires_at);
            format!("nobody decided until {until}: when the agent calls again, it is asked anew")
        }
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}
