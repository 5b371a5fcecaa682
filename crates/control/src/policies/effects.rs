//! What a policy does: to each tool of a server, and to one call.

use domain::{Outcome, ServerId};
use json::Value;
use policy::{ArgumentSchema, Call, Charge, Context, Refusal, ToolState, Verdict};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, Control, Error, Tool};

/// How deep a call's arguments may be nested, as on the wire.
const ARGUMENTS_DEPTH: usize = 64;

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
    pub outcome: Outcome,
    /// The rule that decided; none for an allowed call.
    pub rule: Option<String>,
    /// What the caller would be told.
    pub message: Option<String>,
    /// What would be taken from which limit, in words.
    pub charges: Vec<String>,
    /// What a policy in shadow mode would have done, in words.
    pub shadow: Option<String>,
}

/// What a policy does to each tool.
pub(super) fn of(policy: &policy::Policy, tools: &[Tool]) -> Vec<ToolEffect> {
    let effect = |tool: &Tool| {
        let outline = policy.outline(&tool.name);
        ToolEffect {
            tool: tool.name.clone(),
            effect: outline.effect.into(),
            rule: outline.rule,
            limits: outline.limits.iter().map(|limit| limit.words()).collect(),
        }
    };
    tools.iter().map(effect).collect()
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

impl Control {
    /// What a document would do to one call. Saves nothing, takes from no limit.
    pub async fn simulate(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &Simulation,
    ) -> Result<SimulationResult, Error> {
        let tools = self.tools(actor, server).await?;
        let server = self.server(actor, server).await?;
        let policy = super::read(&input.document).map_err(Error::InvalidPolicy)?;
        let arguments = arguments(&input.arguments)?;
        // As in the gateway: a schema that can't be compiled is none.
        let known = tools.iter().find(|tool| tool.name == input.tool);
        let schema = known.and_then(|tool| ArgumentSchema::compile(&tool.input_schema).ok());
        let context = Context {
            grant_label: some(&input.grant_label),
            grant_identity: some(&input.identity),
            client_name: None,
            client_version: None,
            server_name: Some(&server.name),
        };
        let verdict = policy.judge(&Call {
            tool: &input.tool,
            arguments: arguments.as_ref(),
            context,
            state: ToolState { changed: false, schema: schema.as_ref() },
        });
        Ok(SimulationResult::of(verdict))
    }
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn arguments(text: &str) -> Result<Option<Value<'_>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value = json::parse(text.as_bytes(), ARGUMENTS_DEPTH)
        .map_err(|error| Error::field("/arguments", format!("are not JSON that is taken: {error}")))?;
    if value.as_object().is_none() {
        return Err(Error::field("/arguments", "are not an object: write them like { \"run_id\": \"...\" }"));
    }
    Ok(Some(value))
}

impl SimulationResult {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Allow { charges, shadow } => Self {
                outcome: Outcome::Allow,
                rule: None,
                message: None,
                charges: charges.iter().map(charge_in_words).collect(),
                shadow: shadow.map(|shadow| {
                    let Refusal { rule, message, .. } = &shadow.refusal;
                    format!("{} by {rule}: {message}", shadow.outcome.as_str())
                }),
            },
            Verdict::Deny(refusal) => Self::refused(Outcome::Deny, &refusal),
            Verdict::Hide(refusal) => Self::refused(Outcome::Hidden, &refusal),
            Verdict::Pending { refusal, .. } => Self::refused(Outcome::Pending, &refusal),
        }
    }

    fn refused(outcome: Outcome, refusal: &Refusal) -> Self {
        Self {
            outcome,
            rule: Some(refusal.rule.to_string()),
            message: Some(refusal.message.to_string()),
            charges: Vec::new(),
            shadow: None,
        }
    }
}

fn charge_in_words(charge: &Charge) -> String {
    let (whole, millionths) = (charge.amount_micros / 1_000_000, charge.amount_micros % 1_000_000);
    let amount = format!("{whole}.{millionths:06}");
    let amount = amount.trim_end_matches('0').trim_end_matches('.');
    format!("{amount} of `{}`: {}", charge.limit.counter, charge.limit.words())
}
