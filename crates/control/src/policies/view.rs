//! Policies as they are typed and shown.

use chrono::{DateTime, Utc};
use domain::{PolicyId, ServerId};
use serde::{Deserialize, Serialize};
use storage::{PolicyRow, VersionRow};
use utoipa::ToSchema;

use super::{MethodEffect, ToolEffect};
use crate::DocumentProblem;

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
    pub added: u32,
    /// Lines it took from it.
    pub removed: u32,
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
    /// What it does to the parts of the protocol beside tools, when it can be saved.
    pub methods: Vec<MethodEffect>,
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

impl PolicySummary {
    pub(super) fn of(row: PolicyRow) -> Self {
        Self {
            id: row.id,
            server_id: row.server,
            name: row.name,
            version: row.version,
            saved_at: row.saved_at,
            saved_by: row.saved_by,
            grants: row.grants,
        }
    }
}

impl PolicyVersion {
    pub(super) fn of(row: VersionRow) -> Self {
        Self {
            version: row.version,
            saved_at: row.saved_at,
            saved_by: row.saved_by,
            added: row.added,
            removed: row.removed,
        }
    }
}
