//! The lines that two versions of a policy differ in.

use serde::Serialize;
use utoipa::ToSchema;

/// Two versions, line by line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diff {
    /// The version on the left.
    pub from: u32,
    /// The version on the right.
    pub to: u32,
    /// In order.
    pub lines: Vec<DiffLine>,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiffKind {
    /// In both.
    Same,
    /// On the left only.
    Removed,
    /// On the right only.
    Added,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiffLine {
    /// Where it stands.
    pub kind: DiffKind,
    /// Its number on the left, from 1.
    pub old: Option<usize>,
    /// Its number on the right, from 1.
    pub new: Option<usize>,
    /// Without its line end.
    pub text: String,
}
