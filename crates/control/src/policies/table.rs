//! The table of tools with a choice for each, which writes the same JSON as an author would.

use std::collections::HashMap;

use policy::Policy;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::edit::{Edit, quoted};
use crate::input::Problems;
use crate::{Effect, Error};

/// What to do with a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "choice", rename_all = "lowercase")]
pub enum Choice {
    /// Let it through.
    Allow,
    /// Refuse it.
    Deny,
    /// Leave it out of the list, and refuse it.
    Hide,
    /// Let a person approve it.
    Approve,
    /// Let it through so many times.
    Limit {
        /// Calls of each grant.
        max: u64,
        /// `second`, `minute`, `hour`, `day` or `month`.
        window: String,
    },
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolChoice {
    /// The tool.
    pub tool: String,
    /// What to do with it.
    #[serde(flatten)]
    pub choice: Choice,
}

/// The words for a window.
const WINDOWS: [&str; 5] = ["second", "minute", "hour", "day", "month"];
/// Calls a limit may let through (spec: Limit, `max`).
const MOST: u64 = 9_000_000_000;

/// The document with these choices written into it. A choice replaces what the tool's entry says of action and limits; its
/// rules on arguments, and what the document says of other tools, stay as they are written. The document must be one that
/// can be read.
pub fn choose(document: &str, choices: &[ToolChoice]) -> Result<String, Error> {
    let before = super::read(document).map_err(Error::InvalidPolicy)?;
    let mut problems = Problems::new();
    let mut edit = Edit::new(document);
    for (at, row) in choices.iter().enumerate() {
        if let Choice::Limit { max, window } = &row.choice {
            if !WINDOWS.contains(&window.as_str()) {
                let message = format!("must be one of {}", WINDOWS.join(", "));
                problems.note(&format!("/choices/{at}/window"), message);
            }
            if *max > MOST {
                problems.note(&format!("/choices/{at}/max"), format!("must be at most {MOST}"));
            }
        }
        write(&mut edit, &before, row);
    }
    problems.check()?;
    let text = edit.into_text();
    check(&text, choices)?;
    Ok(text)
}

/// Writes one choice.
fn write(edit: &mut Edit, before: &Policy, row: &ToolChoice) {
    let tool = row.tool.as_str();
    if row.choice == Choice::Hide {
        hide(edit, tool);
        return;
    }
    own_entry(edit, before, tool);
    let entry = ["tools", tool];
    let (key, value) = match &row.choice {
        Choice::Allow | Choice::Hide => ("", String::new()),
        Choice::Deny => ("action", quoted("deny")),
        Choice::Approve => ("action", quoted("require_approval")),
        Choice::Limit { max, window } => ("rate_limit", quoted(&format!("{max}/{window}"))),
    };
    // What is to be set is set in its place, and a reason stays that of its action.
    let same = key == "action" && edit.raw(&["tools", tool, key]).as_ref() == Some(&value);
    for other in ["action", "reason", "rate_limit", "limits"] {
        if other != key && !(other == "reason" && same) {
            edit.remove(&entry, other);
        }
    }
    if !key.is_empty() {
        edit.set(&entry, key, &value);
    }
}

fn hide(edit: &mut Edit, tool: &str) {
    if edit.raw(&["hide"]).is_none() {
        edit.set(&[], "hide", "[]");
    }
    if !edit.lists(&["hide"], tool) {
        edit.push(&["hide"], tool);
    }
}

/// Gives the tool an entry of its own, and takes its name out of `hide`.
pub(super) fn own_entry(edit: &mut Edit, before: &Policy, tool: &str) {
    edit.pull(&["hide"], tool);
    if edit.raw(&["tools"]).is_none() {
        edit.set(&[], "tools", "{}");
    }
    if edit.raw(&["tools", tool]).is_none() {
        // The most specific entry is the only one used: begin with what was used so far.
        let used = governing(edit, before, tool);
        edit.set(&["tools"], tool, used.as_deref().unwrap_or("{}"));
    }
}

/// The text of the entry that governs a tool: its own, or that of a pattern.
pub(super) fn governing(edit: &Edit, policy: &Policy, tool: &str) -> Option<String> {
    edit.raw(&["tools", tool]).or_else(|| edit.raw(&["tools", policy.governing(tool)?]))
}

/// Whether the choices came about: what the document says of many tools at once can stand against them.
fn check(text: &str, choices: &[ToolChoice]) -> Result<(), Error> {
    let after = super::read(text).map_err(Error::InvalidPolicy)?;
    // Of two choices for one tool, the later one counts.
    let last: HashMap<&str, usize> =
        choices.iter().enumerate().map(|(at, row)| (row.tool.as_str(), at)).collect();
    let mut problems = Problems::new();
    for (at, row) in choices.iter().enumerate().filter(|(at, row)| last[row.tool.as_str()] == *at) {
        let outline = after.outline(&row.tool);
        let effect = Effect::from(outline.effect);
        let came_about = match row.choice {
            Choice::Allow => matches!(effect, Effect::Allow | Effect::Conditional),
            Choice::Limit { .. } => matches!(effect, Effect::Limit | Effect::Conditional),
            Choice::Deny => effect == Effect::Deny,
            Choice::Approve => effect == Effect::Approve,
            Choice::Hide => effect == Effect::Hide,
        };
        if !came_about {
            let message = format!("`{}` stands against it: change that in the JSON first", outline.rule);
            problems.note(&format!("/choices/{at}/choice"), message);
        }
    }
    problems.check()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(tool: &str, choice: Choice) -> ToolChoice {
        ToolChoice { tool: tool.to_owned(), choice }
    }

    fn limit(max: u64, window: &str) -> Choice {
        Choice::Limit { max, window: window.to_owned() }
    }

    fn problems(document: &str, choices: &[ToolChoice]) -> Vec<(String, String)> {
        match choose(document, choices) {
            Err(Error::Invalid(found)) => found.into_iter().map(|p| (p.pointer, p.message)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn choices_are_written_as_an_author_would() {
        let document = "{\n  \"version\": \"1\",\n  \"default\": \"deny\"\n}\n";
        let choices = [
            row("read", Choice::Allow),
            row("write", limit(30, "minute")),
            row("pay", Choice::Approve),
            row("drop", Choice::Hide),
            row("send", Choice::Deny),
        ];
        let expected = r#"{
  "version": "1",
  "default": "deny",
  "tools": {
    "read": {},
    "write": { "rate_limit": "30/minute" },
    "pay": { "action": "require_approval" },
    "send": { "action": "deny" }
  },
  "hide": [ "drop" ]
}
"#;
        assert_eq!(choose(document, &choices).unwrap(), expected);
        assert_eq!(choose(expected, &choices).unwrap(), expected, "again, nothing changes");
    }

    #[test]
    fn what_is_so_already_stays_where_it_stands() {
        let document = r#"{ "version": "1", "default": "deny", "hide": ["b", "a"], "tools": {
            "c": { "action": "deny", "reason": "No.", "mode": "enforce" }, "d": { "rate_limit": "1/day", "mode": "enforce" } } }"#;
        for row in [row("b", Choice::Hide), row("c", Choice::Deny)] {
            assert_eq!(choose(document, &[row]).unwrap(), document);
        }
        let asked = choose(document, &[row("c", Choice::Approve), row("d", limit(2, "day"))]).unwrap();
        let expected =
            document.replace(r#""deny", "reason": "No.""#, r#""require_approval""#).replace("1/day", "2/day");
        assert_eq!(asked, expected);
    }

    #[test]
    fn rules_on_arguments_and_other_tools_stay_as_written() {
        let document = r#"{ "version": "1", "default": "deny", "tools": {
            "a": { "action": "deny",   "require": [{"path":"args.n","op":"lt","value":1.000000000000000000001}] },
            "b": {"limits":[{"counter":"c","window":"day","max":5}]} } }"#;
        let after = choose(document, &[row("a", limit(5, "hour"))]).unwrap();
        assert!(
            after.contains(r#""require": [{"path":"args.n","op":"lt","value":1.000000000000000000001}]"#)
        );
        assert!(after.contains(r#""rate_limit": "5/hour""#) && !after.contains("action"));
        assert!(after.contains(r#""b": {"limits":[{"counter":"c","window":"day","max":5}]}"#));
        let after = choose(document, &[row("b", Choice::Allow)]).unwrap();
        assert!(after.contains(r#""b": {}"#));
    }

    #[test]
    fn an_entry_of_its_own_keeps_the_rules_of_the_pattern_that_governed_it() {
        let document = r#"{ "version": "1", "default": "deny", "tools": {
            "get_*": { "require": [{ "path": "args.id", "op": "exists", "value": true }] } } }"#;
        let after = choose(document, &[row("get_run", limit(1, "day"))]).unwrap();
        let policy = Policy::read(after.as_bytes()).unwrap();
        assert_eq!(policy.outline("get_run").rule, "/tools/get_run");
        assert_eq!(policy.outline("get_run").effect, policy::Effect::Conditional);
        assert_eq!(policy.outline("get_run").limits.len(), 1);
        assert_eq!(policy.outline("get_other").rule, "/tools/get_*");
    }

    #[test]
    fn a_choice_that_something_stands_against_is_refused() {
        let document = r#"{ "version": "1", "default": "deny", "hide": ["delete_*"] }"#;
        let found = problems(document, &[row("x", Choice::Allow), row("delete_run", Choice::Allow)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, "/choices/1/choice");
        assert!(found[0].1.starts_with("`/hide/0` stands against it"));
        assert_eq!(
            choose(document, &[row("delete_run", Choice::Hide)]).unwrap().matches("delete").count(),
            2
        );
    }

    #[test]
    fn a_limit_is_one_the_language_has() {
        let document = r#"{ "version": "1", "default": "deny" }"#;
        let found = problems(document, &[row("x", limit(9_000_000_001, "week"))]);
        let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
        assert_eq!(pointers, ["/choices/0/window", "/choices/0/max"]);
    }

    #[test]
    fn a_document_that_can_not_be_read_is_not_edited() {
        assert!(matches!(choose("{", &[row("x", Choice::Allow)]), Err(Error::InvalidPolicy(_))));
    }
}
