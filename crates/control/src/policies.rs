//! Policies of a server: checking, saving versions, history. The latest version is the one in force.

mod context;
mod custom;
mod diff;
mod edit;
mod effects;
mod matrix;
mod presets;
#[cfg(test)]
mod properties;
mod proposal;
mod simulate;
mod table;
mod template;
mod verdict;
mod view;

use domain::{Label, PolicyId, Role, ServerId};
use serde_json::json;
use storage::{Constraint, NewVersionRow};

pub use context::{CallContext, ClientContext, GrantContext, ServerContext};
pub use custom::{ConditionFields, Custom, LIMIT_FIELDS, LimitFields, RULES, RuleFields, customise};
pub use diff::{Diff, DiffKind, DiffLine};
pub use effects::{Effect, MethodEffect, ToolEffect};
pub use matrix::{Difference, MatrixCell, MatrixInput, MatrixRow, PolicyMatrix};
pub use presets::Preset;
pub use simulate::Simulation;
pub use table::{Choice, ToolChoice, choose};
pub use template::{CallTemplate, placeholders};
pub use verdict::{SimulatedCharge, SimulatedShadow, SimulationResult};
pub use view::{NewPolicy, Policy, PolicyCheck, PolicyName, PolicySummary, PolicyVersion, SavePolicy};

use crate::change::Event;
use crate::{Actor, Conflict, Control, DocumentProblem, Error, Tool};

/// Policies of a server.
const MOST: usize = 200;

impl Control {
    /// Reads a document against the tools of a server and saves nothing.
    pub async fn check_policy(
        &self,
        actor: &Actor,
        server: ServerId,
        document: &str,
    ) -> Result<PolicyCheck, Error> {
        let tools = self.tools(actor, server).await?;
        Ok(match read(document) {
            Err(problems) => {
                let (warnings, effects, methods) = (Vec::new(), Vec::new(), Vec::new());
                PolicyCheck { problems, warnings, canonical: None, effects, methods }
            }
            Ok(policy) => PolicyCheck {
                problems: Vec::new(),
                warnings: warnings(&policy, &tools),
                canonical: canonical(&policy),
                effects: effects::of(&policy, &tools),
                methods: effects::of_methods(&policy),
            },
        })
    }

    /// A first policy for a server, from what its tools are: reading allowed, writing 30 a minute, executing 10 a minute,
    /// money asks a person, destroying hidden.
    pub async fn propose_policy(&self, actor: &Actor, server: ServerId) -> Result<String, Error> {
        Ok(proposal::of(&self.tools(actor, server).await?))
    }

    /// Makes a policy at version 1. Needs `editor`.
    pub async fn create_policy(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &NewPolicy,
    ) -> Result<Policy, Error> {
        actor.needs(Role::Editor)?;
        self.server(actor, server).await?;
        let name: Label = input.name.parse().map_err(|error| Error::field("/name", error))?;
        read(&input.document).map_err(Error::InvalidPolicy)?;

        let id = self.id();
        let mut change = self.change(actor).await?;
        if change.policies(Some(server), None, self.now()).await?.len() >= MOST {
            return Err(Conflict::Full { what: "policies of this server", max: 200 }.into());
        }
        change.insert_policy(id, server, &name, self.now()).await?;
        change.insert_version(&self.version(id, 1, ("", &input.document), &actor.label())).await?;
        let event = Event::new("policy.create", id.uuid(), name.as_str());
        change.commit(actor, event.with(json!({ "server_id": server, "version": 1 }))).await?;
        self.policy(actor, id, None).await
    }

    /// Saves the next version, which is in force at once. Saving the text that is in force saves nothing. Needs `editor`.
    pub async fn save_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        input: &SavePolicy,
    ) -> Result<Policy, Error> {
        actor.needs(Role::Editor)?;
        let before = self.policy(actor, id, None).await?;
        let current = before.summary.version;
        if input.expected_version != current {
            return Err(Conflict::Version { current }.into());
        }
        read(&input.document).map_err(Error::InvalidPolicy)?;
        if input.document == before.document {
            return Ok(before);
        }
        let next = current.saturating_add(1);
        let saved_by = actor.label();
        let version = self.version(id, next, (&before.document, &input.document), &saved_by);
        let mut change = self.change(actor).await?;
        if !change.advance_policy(id, current).await? {
            let now = change.policies(None, Some(id), self.now()).await?.pop().ok_or(Error::NotFound)?;
            return Err(Conflict::Version { current: now.version }.into());
        }
        change.insert_version(&version).await?;
        let event = Event::new("policy.save", id.uuid(), before.summary.name);
        let details = json!({ "version": next, "added": version.added, "removed": version.removed });
        change.commit(actor, event.with(details)).await?;
        self.policy(actor, id, None).await
    }

    /// Renames a policy. Needs `editor`.
    pub async fn rename_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        input: &PolicyName,
    ) -> Result<PolicySummary, Error> {
        actor.needs(Role::Editor)?;
        let before = self.policy_summary(actor, id).await?;
        let name: Label = input.name.parse().map_err(|error| Error::field("/name", error))?;
        let mut change = self.change(actor).await?;
        if !change.rename_policy(id, &name).await? {
            return Err(Error::NotFound);
        }
        let event = Event::new("policy.rename", id.uuid(), name.as_str());
        change.commit(actor, event.with(json!({ "before": before.name }))).await?;
        self.policy_summary(actor, id).await
    }

    /// Deletes a policy that no working grant uses. Needs `editor`.
    pub async fn delete_policy(&self, actor: &Actor, id: PolicyId) -> Result<(), Error> {
        actor.needs(Role::Editor)?;
        let before = self.policy_summary(actor, id).await?;
        let in_use = |grants| Conflict::PolicyInUse { grants };
        if before.grants > 0 {
            return Err(in_use(before.grants).into());
        }
        let mut change = self.change(actor).await?;
        change.detach_from_ended(id, self.now()).await?;
        let deleted = change.delete_policy(id).await.map_err(|error| match error {
            // Attached since it was looked at.
            storage::Error::Constraint(Constraint::GrantPolicy) => in_use(1).into(),
            other => Error::from(other),
        })?;
        if !deleted {
            return Err(Error::NotFound);
        }
        let event = Event::new("policy.delete", id.uuid(), before.name);
        change.commit(actor, event.with(json!({ "version": before.version }))).await
    }

    /// The policies of a server, by name; of all servers when none is named.
    pub async fn policies(
        &self,
        actor: &Actor,
        server: Option<ServerId>,
    ) -> Result<Vec<PolicySummary>, Error> {
        if let Some(server) = server {
            self.server(actor, server).await?;
        }
        let rows = self.tenant(actor).await?.policies(server, None, self.now()).await?;
        Ok(rows.into_iter().map(PolicySummary::of).collect())
    }

    /// A policy without its text.
    pub async fn policy_summary(&self, actor: &Actor, id: PolicyId) -> Result<PolicySummary, Error> {
        let row = self.tenant(actor).await?.policies(None, Some(id), self.now()).await?.pop();
        row.map(PolicySummary::of).ok_or(Error::NotFound)
    }

    /// A policy at a version, or at the one in force.
    pub async fn policy(&self, actor: &Actor, id: PolicyId, version: Option<u32>) -> Result<Policy, Error> {
        let mut tx = self.tenant(actor).await?;
        let row = tx.policies(None, Some(id), self.now()).await?.pop().ok_or(Error::NotFound)?;
        let version = version.unwrap_or(row.version);
        let shown = tx.document(id, version).await?.ok_or(Error::NotFound)?;
        let tools: Vec<_> = tx.tools(row.server).await?.into_iter().map(Tool::stored).collect();
        // What was saved could be read then; one that can't be any more denies every call, and shows no form but its text.
        let read = read(&shown.document).ok();
        Ok(Policy {
            summary: PolicySummary::of(row),
            shown_version: version,
            canonical: read.as_ref().and_then(canonical),
            warnings: read.map(|policy| warnings(&policy, &tools)).unwrap_or_default(),
            document: shown.document,
            shown_saved_at: shown.saved_at,
            shown_saved_by: shown.saved_by,
        })
    }

    /// Who saved which version when, newest first, at most 1000.
    pub async fn policy_history(&self, actor: &Actor, id: PolicyId) -> Result<Vec<PolicyVersion>, Error> {
        self.policy_summary(actor, id).await?;
        let rows = self.tenant(actor).await?.versions(id).await?;
        Ok(rows.into_iter().map(PolicyVersion::of).collect())
    }

    /// What changed between two versions, line by line.
    pub async fn policy_diff(&self, actor: &Actor, id: PolicyId, from: u32, to: u32) -> Result<Diff, Error> {
        let mut tx = self.tenant(actor).await?;
        let old = tx.document(id, from).await?.ok_or(Error::NotFound)?;
        let new = tx.document(id, to).await?.ok_or(Error::NotFound)?;
        Ok(Diff::between((from, &old.document), (to, &new.document)))
    }

    fn version<'a>(
        &self,
        policy: PolicyId,
        version: u32,
        (before, document): (&str, &'a str),
        saved_by: &'a str,
    ) -> NewVersionRow<'a> {
        let diff = Diff::between((version.saturating_sub(1), before), (version, document));
        NewVersionRow {
            policy,
            version,
            document,
            added: diff.count(DiffKind::Added),
            removed: diff.count(DiffKind::Removed),
            saved_by,
            saved_at: self.now(),
        }
    }
}

/// Reads a document; all its problems otherwise.
fn read(document: &str) -> Result<policy::Policy, Vec<DocumentProblem>> {
    policy::Policy::read(document.as_bytes())
        .map_err(|problems| problems.into_iter().map(DocumentProblem::from).collect())
}

fn canonical(policy: &policy::Policy) -> Option<serde_json::Value> {
    serde_json::from_str(&policy.canonical()).ok()
}

fn warnings(policy: &policy::Policy, tools: &[Tool]) -> Vec<DocumentProblem> {
    let facts: Vec<_> = tools.iter().map(Tool::facts).collect();
    policy.warnings(&facts).into_iter().map(DocumentProblem::from).collect()
}
