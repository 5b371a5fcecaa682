//! The lines that two versions of a policy differ in.

use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};
use utoipa::ToSchema;

/// For finding the smallest difference; after it, a larger one is taken.
const PATIENCE: Duration = Duration::from_millis(200);

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

impl Diff {
    /// What leads from one text to the other.
    pub(super) fn between((from, old): (u32, &str), (to, new): (u32, &str)) -> Self {
        let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
        let lines = diff.iter_all_changes().map(|change| DiffLine {
            kind: match change.tag() {
                ChangeTag::Equal => DiffKind::Same,
                ChangeTag::Delete => DiffKind::Removed,
                ChangeTag::Insert => DiffKind::Added,
            },
            old: change.old_index().map(|index| index + 1),
            new: change.new_index().map(|index| index + 1),
            text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
        });
        Self { from, to, lines: lines.collect() }
    }

    /// How many lines are only on one side.
    pub(super) fn count(&self, kind: DiffKind) -> u32 {
        let count = self.lines.iter().filter(|line| line.kind == kind).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_on_their_sides() {
        let diff = Diff::between((1, "a\nb\nc\n"), (2, "a\nx\nc\nd"));
        let lines: Vec<_> =
            diff.lines.iter().map(|line| (line.kind, line.old, line.new, line.text.as_str())).collect();
        assert_eq!(
            lines,
            [
                (DiffKind::Same, Some(1), Some(1), "a"),
                (DiffKind::Removed, Some(2), None, "b"),
                (DiffKind::Added, None, Some(2), "x"),
                (DiffKind::Same, Some(3), Some(3), "c"),
                (DiffKind::Added, None, Some(4), "d"),
            ]
        );
        assert_eq!((diff.count(DiffKind::Added), diff.count(DiffKind::Removed)), (2, 1));
    }

    #[test]
    fn a_long_text_is_compared_in_time() {
        let line = |n: usize| format!("line {}\n", n * 7919 % 10_007);
        let old: String = (0..20_000).map(line).collect();
        let new: String = (10_000..30_000).map(line).collect();
        let diff = Diff::between((1, &old), (2, &new));
        assert!(diff.lines.len() >= 20_000);
    }
}
