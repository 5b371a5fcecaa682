//! Policies of a server: checking, saving versions, history. The latest version is the one in force.

mod diff;
mod effects;
mod table;

use chrono::{DateTime, Utc};
use domain::{PolicyId, ServerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use diff::{Diff, DiffKind, DiffLine};
pub use effects::{Effect, Simulation, SimulationResult, ToolEffect};
pub use table::{Choice, ToolChoice, choose};

use crate::{Actor, Control, DocumentProblem, Error};

/// A policy in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicySummary {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: PolicyId,
    /// The server whose tools it is about.
    #[schema(value_type = String, format = Uuid)]
    pub server_id: ServerId,
    /// Unique among the server's policies.
    pub name: String,
    /// The version in force.
    pub version: u32,
    /// When that was saved.
    pub saved_at: DateTime<Utc>,
    /// By whom.
    pub saved_by: String,
    /// Grants judged by it that work.
    pub grants: i64,
}

/// A policy at one of its versions.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Policy {
    /// The policy as it stands now.
    #[serde(flatten)]
    pub summary: PolicySummary,
    /// The version that is shown.
    pub shown_version: u32,
    /// Its text, exactly as it was written.
    pub document: String,
    /// The same with every shorthand written out; none when the text can't be read any more, and then every call is denied.
    pub canonical: Option<serde_json::Value>,
    /// What to look at, though it was saved.
    pub warnings: Vec<DocumentProblem>,
    /// When this version was saved.
    pub shown_saved_at: DateTime<Utc>,
    /// By whom.
    pub shown_saved_by: String,
}

/// One version in the history, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyVersion {
    /// From 1.
    pub version: u32,
    /// When.
    pub saved_at: DateTime<Utc>,
    /// By whom.
    pub saved_by: String,
    /// Lines it added to the version before.
    pub added: usize,
    /// Lines it took from it.
    pub removed: usize,
}

/// What a document would be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PolicyCheck {
    /// Why it can't be saved; empty when it can.
    pub problems: Vec<DocumentProblem>,
    /// What to look at.
    pub warnings: Vec<DocumentProblem>,
    /// It with every shorthand written out, when it can be saved.
    pub canonical: Option<serde_json::Value>,
    /// What it does to each tool of the server, when it can be saved.
    pub effects: Vec<ToolEffect>,
}

/// A policy to make, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPolicy {
    /// 1 to 80 characters, unique among the server's policies.
    pub name: String,
    /// The policy language v1, as text: it is stored as it is written.
    pub document: String,
}

/// A new version of a policy, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SavePolicy {
    /// The version that the text was made from; another one in force is a conflict.
    pub expected_version: u32,
    /// The policy language v1, as text.
    pub document: String,
}

/// Another name for a policy, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyName {
    /// 1 to 80 characters, unique among the server's policies.
    pub name: String,
}

impl Control {
    /// Reads a document against the tools of a server and saves nothing. Needs `viewer`.
    pub async fn check_policy(
        &self,
        actor: &Actor,
        server: ServerId,
        document: &str,
    ) -> Result<PolicyCheck, Error> {
        let _ = (actor, server, document);
        unimplemented!()
    }

    /// What a document would do to one call. Saves nothing, takes from no limit.
    pub async fn simulate(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &Simulation,
    ) -> Result<SimulationResult, Error> {
        let _ = (actor, server, input);
        unimplemented!()
    }

    /// A first policy for a server, from what its tools are: reading allowed, writing 30 a minute, executing 10 a minute,
    /// money asks a person, destroying hidden.
    pub async fn propose_policy(&self, actor: &Actor, server: ServerId) -> Result<String, Error> {
        let _ = (actor, server);
        unimplemented!()
    }

    /// Makes a policy at version 1. Needs `editor`.
    pub async fn create_policy(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &NewPolicy,
    ) -> Result<Policy, Error> {
        let _ = (actor, server, input);
        unimplemented!()
    }

    /// Saves the next version, which is in force at once. Saving the text that is in force saves nothing. Needs `editor`.
    pub async fn save_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        input: &SavePolicy,
    ) -> Result<Policy, Error> {
        let _ = (actor, id, input);
        unimplemented!()
    }

    /// Renames a policy. Needs `editor`.
    pub async fn rename_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        input: &PolicyName,
    ) -> Result<PolicySummary, Error> {
        let _ = (actor, id, input);
        unimplemented!()
    }

    /// Deletes a policy that no working grant uses. Needs `editor`.
    pub async fn delete_policy(&self, actor: &Actor, id: PolicyId) -> Result<(), Error> {
        let _ = (actor, id);
        unimplemented!()
    }

    /// The policies of a server, by name; of all servers when none is named.
    pub async fn policies(
        &self,
        actor: &Actor,
        server: Option<ServerId>,
    ) -> Result<Vec<PolicySummary>, Error> {
        let _ = (actor, server);
        unimplemented!()
    }

    /// A policy at a version, or at the one in force.
    pub async fn policy(&self, actor: &Actor, id: PolicyId, version: Option<u32>) -> Result<Policy, Error> {
        let _ = (actor, id, version);
        unimplemented!()
    }

    /// Who saved which version when, newest first.
    pub async fn policy_history(&self, actor: &Actor, id: PolicyId) -> Result<Vec<PolicyVersion>, Error> {
        let _ = (actor, id);
        unimplemented!()
    }

    /// What changed between two versions, line by line.
    pub async fn policy_diff(&self, actor: &Actor, id: PolicyId, from: u32, to: u32) -> Result<Diff, Error> {
        let _ = (actor, id, from, to);
        unimplemented!()
    }
}
