//! Which decisions are asked for.

use chrono::{DateTime, Utc};
use domain::{DecisionId, GrantId, Outcome, ServerId};

/// Every field narrows; the default is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Calls of this server.
    pub server: Option<ServerId>,
    /// Calls with this grant.
    pub grant: Option<GrantId>,
    /// Calls for this person or agent, exactly.
    pub identity: Option<String>,
    /// Calls of this tool, exactly; with a `*` at the end, of tools that begin so.
    pub tool: Option<String>,
    /// Any of these outcomes; none listed: all.
    pub outcomes: Vec<Outcome>,
    /// Refused by this rule, exactly.
    pub rule: Option<String>,
    /// Decided at or after.
    pub from: Option<DateTime<Utc>>,
    /// Decided before.
    pub to: Option<DateTime<Utc>>,
    /// This one.
    pub request_id: Option<DecisionId>,
}
