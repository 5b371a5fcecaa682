//! Every tool of a server under a draft, beside the policy in force: what a call without arguments would get, and whether
//! anything that the two say of the tool differs.

use std::cmp::Ordering;

use domain::{Outcome, PolicyId, ServerId};
use json::Value;
use policy::Policy;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::CallContext;
use super::effects::{self, Effect};
use super::simulate::{Bench, Pins, schema};
use crate::grants::{PolicyRef, policy_id};
use crate::{Actor, Category, Control, Error};

/// A draft to hold against a policy.
#[derive(Clone, Debug, Default)]
pub struct MatrixInput {
    /// The policy language v1, as text.
    pub document: String,
    /// Id of the policy whose version in force stands beside it; none or nothing: a grant without a policy.
    pub beside: Option<String>,
    /// Who calls, and from where.
    pub context: CallContext,
}

/// All tools of a server under a draft, beside the policy in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyMatrix {
    /// What stands beside the draft; null is a grant without a policy, whose every call is denied.
    pub beside: Option<PolicyRef>,
    /// Tools that the draft opens.
    pub opens: usize,
    /// Tools that it closes.
    pub closes: usize,
    /// Tools whose rules differ though neither is more open.
    pub changes: usize,
    /// Tools that nothing changes for.
    pub same: usize,
    /// A row a tool, in the upstream's order.
    pub tools: Vec<MatrixRow>,
}

/// One tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MatrixRow {
    /// The tool.
    pub tool: String,
    /// What kind of thing it does.
    pub category: Category,
    /// Under the policy in force.
    pub in_force: MatrixCell,
    /// Under the draft.
    pub draft: MatrixCell,
    /// How the draft differs.
    pub difference: Difference,
}

/// What becomes of a tool's calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MatrixCell {
    /// Of a call with the arguments `{}`: `allow`, `deny`, `hidden`, `pending` or `limit`.
    #[schema(value_type = String, example = "allow")]
    pub outcome: Outcome,
    /// The rule that refuses that call.
    pub rule: Option<String>,
    /// What rules in shadow mode would have made of it.
    #[schema(value_type = Option<String>)]
    pub shadow: Option<Outcome>,
    /// Of all calls: `conditional` depends on their arguments.
    pub effect: Effect,
    /// The limits that they are counted on, in words.
    pub limits: Vec<String>,
}

/// How a draft differs from what is in force, for one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Difference {
    /// Both say the same of the tool.
    Same,
    /// A call without arguments gets further.
    Opens,
    /// It gets less far.
    Closes,
    /// It gets as far, but rules or limits of the tool differ.
    Changes,
}

impl Difference {
    /// The word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Opens => "opens",
            Self::Closes => "closes",
            Self::Changes => "changes",
        }
    }
}

impl Control {
    /// What a call without arguments of every tool would get under a draft, beside the version in force of a policy.
    pub async fn policy_matrix(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &MatrixInput,
    ) -> Result<PolicyMatrix, Error> {
        let tools = self.tools(actor, server).await?;
        let beside = policy_id(input.beside.as_deref()).map_err(|error| Error::field("/beside", error))?;
        let beside = self.standing(actor, server, beside).await?;
        let pins = Pins::of(self.protocol(actor, server).await?);
        let server = self.server(actor, server).await?;
        let draft = Side::of(super::read(&input.document).map_err(Error::InvalidPolicy)?);
        let in_force = beside.as_ref().map(|(_, document)| super::read(document).ok().map(Side::of));

        let rows = tools.iter().map(|tool| {
            let bench = Bench {
                context: input.context.of_server(&server.name),
                session: input.context.session,
                schema: schema(tool),
                changed: pins.refuse(&tool.name, true),
            };
            let before = match &in_force {
                None => MatrixCell::refused(&policy::no_policy()),
                Some(None) => MatrixCell::refused(&policy::invalid()),
                Some(Some(side)) => side.cell(&tool.name, &bench),
            };
            let after = draft.cell(&tool.name, &bench);
            let says_same = in_force
                .as_ref()
                .and_then(Option::as_ref)
                .is_some_and(|side| side.says(&tool.name) == draft.says(&tool.name));
            MatrixRow {
                tool: tool.name.clone(),
                category: tool.category,
                difference: difference(&before, &after, says_same),
                in_force: before,
                draft: after,
            }
        });
        Ok(PolicyMatrix::of(beside.map(|(policy, _)| policy), rows.collect()))
    }

    /// The policy of the server that a draft is held against, with its text in force.
    async fn standing(
        &self,
        actor: &Actor,
        server: ServerId,
        id: Option<PolicyId>,
    ) -> Result<Option<(PolicyRef, String)>, Error> {
        let Some(id) = id else { return Ok(None) };
        let foreign = || Error::field("/beside", "is not a policy of this server: choose one of its own");
        let found = match self.policy(actor, id, None).await {
            Err(Error::NotFound) => return Err(foreign()),
            found => found?,
        };
        if found.summary.server_id != server {
            return Err(foreign());
        }
        let policy = PolicyRef { id, name: found.summary.name, version: found.summary.version };
        Ok(Some((policy, found.document)))
    }
}

impl PolicyMatrix {
    fn of(beside: Option<PolicyRef>, tools: Vec<MatrixRow>) -> Self {
        let count = |wanted| tools.iter().filter(|row| row.difference == wanted).count();
        Self {
            beside,
            opens: count(Difference::Opens),
            closes: count(Difference::Closes),
            changes: count(Difference::Changes),
            same: count(Difference::Same),
            tools,
        }
    }
}

impl MatrixCell {
    fn refused(refusal: &policy::Refusal) -> Self {
        Self {
            outcome: Outcome::Deny,
            rule: Some(refusal.rule.to_string()),
            shadow: None,
            effect: Effect::Deny,
            limits: Vec::new(),
        }
    }
}

/// One of the two policies.
struct Side {
    policy: Policy,
    /// As it is judged, all shorthand expanded.
    canonical: Option<Value<'static>>,
}

impl Side {
    fn of(policy: Policy) -> Self {
        let text = policy.canonical();
        let canonical = json::parse(text.as_bytes(), json::MAX_DEPTH).map(Value::into_owned).ok();
        Self { policy, canonical }
    }

    fn cell(&self, tool: &str, bench: &Bench<'_>) -> MatrixCell {
        let result = bench.judge(&self.policy, tool, Some(&Value::object()));
        let effect = effects::of_tool(&self.policy, tool);
        MatrixCell {
            outcome: result.outcome,
            rule: result.rule,
            shadow: result.shadow.map(|shadow| shadow.outcome),
            effect: effect.effect,
            limits: effect.limits,
        }
    }

    /// Everything of the document that bears on the tool, in the canonical form; none where that can't be had.
    fn says(&self, tool: &str) -> Option<String> {
        let canonical = self.canonical.as_ref()?;
        let part = |name: &str| canonical.get(name).map(Value::canonical).unwrap_or_default();
        let entry = self.policy.governing(tool).map(|key| {
            canonical.get("tools").and_then(|tools| tools.get(key)).map(Value::canonical).unwrap_or_default()
        });
        let hidden = self.policy.hiding(tool).next().is_some();
        let own = entry.unwrap_or_else(|| part("default"));
        let all = [part("mode"), part("validate_arguments"), part("all_tools"), own];
        Some(format!("{hidden} {}", all.join(" ")))
    }
}

fn difference(before: &MatrixCell, after: &MatrixCell, says_same: bool) -> Difference {
    let openness = |cell: &MatrixCell| match cell.outcome {
        Outcome::Allow => 2,
        Outcome::Pending => 1,
        _ => 0,
    };
    // Where a tool is hidden, nothing else that is said of it matters.
    let hidden = before.outcome == Outcome::Hidden && after.outcome == Outcome::Hidden;
    match openness(after).cmp(&openness(before)) {
        Ordering::Greater => Difference::Opens,
        Ordering::Less => Difference::Closes,
        Ordering::Equal if hidden || says_same => Difference::Same,
        Ordering::Equal => Difference::Changes,
    }
}
