//! What a policy does to each tool of a server, and beside tools, as far as that can be said without a call.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Tool;

/// What a policy does to a tool, as far as that can be said without a call's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Every call goes through.
    Allow,
    /// Calls go through until a limit is used up.
    Limit,
    /// It depends on the arguments, by the tool's own entry.
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
    /// JSON Pointer of what decides, or `(default deny)`.
    pub rule: String,
    /// Its limits in words: `10 a minute for each grant`.
    pub limits: Vec<String>,
}

/// What a policy does to a part of the protocol beside tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MethodEffect {
    /// The key in `methods`: `resources`, `prompts`, `completion`, `sampling`, `elicitation` or `roots`.
    pub part: String,
    /// Whether it is open: `allow` or `deny`.
    pub effect: Effect,
    /// JSON Pointer of what decides, or `(default deny)`.
    pub rule: String,
}

/// What a policy does to each part of the protocol beside tools.
pub(super) fn of_methods(policy: &policy::Policy) -> Vec<MethodEffect> {
    let of_part = |part: domain::Surface| {
        let (effect, rule) = policy.outline_surface(part);
        MethodEffect { part: part.to_string(), effect: effect.into(), rule }
    };
    domain::Surface::ALL.into_iter().map(of_part).collect()
}

/// What a policy does to each tool.
pub(super) fn of(policy: &policy::Policy, tools: &[Tool]) -> Vec<ToolEffect> {
    tools.iter().map(|tool| of_tool(policy, &tool.name)).collect()
}

/// What a policy does to one tool.
pub(super) fn of_tool(policy: &policy::Policy, tool: &str) -> ToolEffect {
    let outline = policy.outline(tool);
    ToolEffect {
        tool: tool.to_owned(),
        effect: outline.effect.into(),
        rule: outline.rule,
        limits: outline.limits.iter().map(|limit| limit.words()).collect(),
    }
}

impl From<policy::Effect> for Effect {
    fn from(effect: policy::Effect) -> Self {
        match effect {
            policy::Effect::Allow => Self::Allow,
            policy::Effect::Limit => Self::Limit,
            policy::Effect::Conditional => Self::Conditional,
            policy::Effect::Approve => Self::Approve,
            policy::Effect::Deny => Self::Deny,
            policy::Effect::Hide => Self::Hide,
        }
    }
}
