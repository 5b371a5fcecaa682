//! What a policy does: to each tool of a server, and to one call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a policy does to a tool, as far as that can be said without a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Every call goes through.
    Allow,
    /// Calls go through until a limit is used up.
    Limit,
    /// It depends on the arguments.
    Conditional,
    /// A person must approve every call.
    Approve,
    /// No call goes through.
    Deny,
    /// Not listed; no call goes through.
    Hide,
}

impl Effect {
    /// The word in the API and the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Limit => "limit",
            Self::Conditional => "conditional",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Hide => "hide",
        }
    }
}

/// What a policy does to one tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ToolEffect {
    /// The tool.
    pub tool: String,
    /// What happens to calls of it.
    pub effect: Effect,
    /// JSON Pointer of the entry that decides, or a rule in brackets such as `(default deny)`.
    pub rule: String,
    /// Its limits in words: `10 a minute for each grant`.
    pub limits: Vec<String>,
}

/// One call to try a document on.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Simulation {
    /// The policy language v1, as text.
    pub document: String,
    /// The tool called.
    pub tool: String,
    /// Its arguments, as JSON text; empty for none.
    #[serde(default)]
    pub arguments: String,
    /// The grant's label.
    #[serde(default)]
    pub grant_label: String,
    /// The grant's identity.
    #[serde(default)]
    pub identity: String,
}

/// What would become of the call, were all limits unused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulationResult {
    /// `allow`, `deny`, `hidden` or `pending`.
    #[schema(value_type = String)]
    pub outcome: domain::Outcome,
    /// The rule that decided; none for an allowed call.
    pub rule: Option<String>,
    /// What the caller would be told.
    pub message: Option<String>,
    /// What would be taken from which limit, in words.
    pub charges: Vec<String>,
}
