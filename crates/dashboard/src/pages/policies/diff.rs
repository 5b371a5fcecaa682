//! `/o/{org}/servers/{server}/policies/{policy}/diff?from=&to=`: what changed between two versions.

use askama::Template;
use axum::extract::State;
use control::{Diff as Difference, DiffKind, DiffLine, PolicySummary, PolicyVersion};
use domain::{PolicyId, ServerId};
use serde::Deserialize;

use super::editor::opened;
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::filters;

/// Lines shown around a change.
const AROUND: usize = 3;

/// The page.
#[derive(Template)]
#[template(path = "policies/diff.html")]
pub struct Diff {
    pub frame: Frame,
    pub view: View,
    pub policy: Option<PolicySummary>,
    pub versions: Vec<PolicyVersion>,
    pub compared: Difference,
    pub chunks: Vec<DiffRow>,
}

/// A line, or lines that are left out because nothing changed near them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffRow {
    /// `added`, `removed` or nothing.
    pub kind: &'static str,
    pub line: Option<DiffLine>,
    /// How many were left out.
    pub skipped: usize,
}

impl DiffRow {
    /// What stands before the line: colour alone says too little.
    pub fn sign(&self) -> &'static str {
        match self.kind {
            "added" => "+",
            "removed" => "−",
            _ => "",
        }
    }
}

/// The versions to compare.
#[derive(Deserialize)]
pub struct Versions {
    from: u32,
    to: u32,
}

/// `GET /o/{org}/servers/{server}/policies/{policy}/diff`
pub async fn diff(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    Asked(Versions { from, to }): Asked<Versions>,
) -> Result<Page<Diff>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let compared = state.control.policy_diff(&member.actor, id, from, to).await?;
    let versions = state.control.policy_history(&member.actor, id).await?;
    let (frame, chunks) = (member.frame(&state, "servers"), near(&compared.lines));
    Ok(Page(Diff { frame, view, policy: Some(policy.summary), versions, compared, chunks }))
}

/// Changed lines and those around them; nothing where nothing changed.
pub fn near(lines: &[DiffLine]) -> Vec<DiffRow> {
    let changed: Vec<usize> =
        lines.iter().enumerate().filter(|(_, line)| line.kind != DiffKind::Same).map(|(at, _)| at).collect();
    if changed.is_empty() {
        return Vec::new();
    }
    let mut rows: Vec<DiffRow> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        // The changed line at or after this one, and the one before: `changed` is in order.
        let next = changed.partition_point(|change| *change < at);
        let close = |change: &usize| change.abs_diff(at) <= AROUND;
        let shown = changed.get(next).is_some_and(close)
            || next.checked_sub(1).is_some_and(|last| close(&changed[last]));
        match rows.last_mut() {
            Some(DiffRow { line: None, skipped, .. }) if !shown => *skipped += 1,
            _ if !shown => rows.push(DiffRow { kind: "gap", line: None, skipped: 1 }),
            _ => rows.push(DiffRow { kind: class(line.kind), line: Some(line.clone()), skipped: 0 }),
        }
    }
    rows
}

fn class(kind: DiffKind) -> &'static str {
    match kind {
        DiffKind::Same => "",
        DiffKind::Added => "added",
        DiffKind::Removed => "removed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let line = |at: usize| {
            let kind = if at == 10 { DiffKind::Added } else { DiffKind::Same };
            DiffLine { kind, old: Some(at), new: Some(at), text: at.to_string() }
        };
        let rows = near(&(0..20).map(line).collect::<Vec<_>>());
        let skipped: Vec<_> = rows.iter().map(|row| row.skipped).filter(|skipped| *skipped > 0).collect();
        assert_eq!(skipped, [7, 6]);
        assert_eq!(rows.len(), 2 + 7);
        assert_eq!(rows.iter().filter(|row| row.sign() == "+").count(), 1);
        assert_eq!(near(&[line(1), line(2)]), []);
    }
}
