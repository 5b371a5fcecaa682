//! What a policy does to a tool, as far as that can be said without a call's arguments: for tables that people read.

use crate::document::{Entry, Mode, Policy, Rule};
use crate::limit::Cost;
use crate::verdict::{Limit, Window, decimal};

/// What becomes of the calls of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// All go through.
    Allow,
    /// They go through until a limit of the tool's entry is used up.
    Limit,
    /// The tool's entry looks at the arguments.
    Conditional,
    /// A human must approve each.
    Approve,
    /// None goes through.
    Deny,
    /// None goes through, and the tool is not listed.
    Hide,
}

/// What a policy does to a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline<'a> {
    /// What becomes of its calls.
    pub effect: Effect,
    /// JSON Pointer of what decides that, or `(default deny)`.
    pub rule: String,
    /// The limits of its entry, then those of `all_tools`.
    pub limits: Vec<&'a Limit>,
}

impl Policy {
    /// What the policy does to this tool. The effect is that of the tool's own entry, unless `all_tools` refuses every call;
    /// what shadow mode only records is no effect.
    pub fn outline(&self, tool: &str) -> Outline<'_> {
        let entry = self.entry(tool);
        if let Some(hidden) = self.hide.iter().find(|hidden| hidden.glob.matches(tool))
            && self.hiding_blocks(entry)
        {
            return Outline { effect: Effect::Hide, rule: hidden.pointer.to_string(), limits: Vec::new() };
        }
        let blocks = |entry: &&Entry| entry.mode(self) == Mode::Enforce;
        if entry.is_none() && !self.default_allows && self.mode == Mode::Enforce {
            return Outline { effect: Effect::Deny, rule: "(default deny)".to_owned(), limits: Vec::new() };
        }
        let own = entry.filter(blocks);
        let both: Vec<&Entry> = own.into_iter().chain(Some(&self.all_tools).filter(blocks)).collect();
        let always = |list: fn(&Entry) -> &[Rule], name: &str| {
            let rules = both.iter().flat_map(|entry| list(entry).iter().map(|rule| (&entry.pointer, rule)));
            let mut certain = rules.filter(|(_, rule)| rule.conditions.is_empty());
            certain.next().map(|(pointer, rule)| rule.pointer(pointer, name))
        };
        if let Some(rule) = always(|entry| &entry.deny_if, "deny_if") {
            return Outline { effect: Effect::Deny, rule, limits: Vec::new() };
        }
        let limits = both.iter().flat_map(|entry| entry.limits.iter().map(AsRef::as_ref)).collect();
        if let Some(rule) = always(|entry| &entry.approve_if, "approve_if") {
            return Outline { effect: Effect::Approve, rule, limits };
        }
        let effect = own.map_or(Effect::Allow, Entry::effect);
        let rule = entry.map_or("/default", |entry| &entry.pointer).to_owned();
        Outline { effect, rule, limits }
    }
}

impl Policy {
    /// The key of `tools` that governs a tool, as it is written.
    pub fn governing(&self, tool: &str) -> Option<&str> {
        self.governing_tool(tool).map(|found| found.key.as_str())
    }
}

impl Entry {
    /// Of an entry that refuses no call whatever its arguments.
    fn effect(&self) -> Effect {
        let rules = [&self.require, &self.deny_if, &self.approve_if];
        if rules.iter().any(|rules| !rules.is_empty()) || self.validate_arguments == Some(true) {
            Effect::Conditional
        } else if self.limits.is_empty() {
            Effect::Allow
        } else {
            Effect::Limit
        }
    }
}

impl Limit {
    /// The limit in words: `10 a minute for each grant`, `500 of args.amount a day for each identity`.
    pub fn words(&self) -> String {
        let max = decimal(self.max_micros);
        let what = match &self.cost {
            Cost::Fixed(_) => max,
            Cost::From(path) => format!("{max} of {path}"),
        };
        let window = match self.window {
            Window::Unit(unit) if unit.as_str() == "hour" => "an hour".to_owned(),
            Window::Unit(unit) => format!("a {}", unit.as_str()),
            Window::Seconds(seconds) => format!("in {seconds} seconds"),
        };
        let per = self.key.as_ref().map(|path| format!(" and {path}")).unwrap_or_default();
        format!("{what} {window} for each {}{per}", self.scope.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(document: &str, tool: &str) -> (Effect, String, Vec<String>) {
        let policy = Policy::read(document.as_bytes()).unwrap();
        let outline = policy.outline(tool);
        (outline.effect, outline.rule, outline.limits.iter().map(|limit| limit.words()).collect())
    }

    #[test]
    fn each_effect_has_its_rule() {
        let document = r#"{
            "version": "1", "default": "deny", "hide": ["delete_*"],
            "tools": {
                "list_*": {},
                "get": { "require": [{ "path": "args.id", "op": "exists", "value": true }] },
                "send": { "rate_limit": "10/minute" },
                "pay": { "action": "require_approval" },
                "import": { "action": "deny", "reason": "no" }
            }
        }"#;
        for (tool, effect, rule) in [
            ("list_runs", Effect::Allow, "/tools/list_*"),
            ("get", Effect::Conditional, "/tools/get"),
            ("send", Effect::Limit, "/tools/send"),
            ("pay", Effect::Approve, "/tools/pay/action"),
            ("import", Effect::Deny, "/tools/import/action"),
            ("delete_run", Effect::Hide, "/hide/0"),
            ("other", Effect::Deny, "(default deny)"),
        ] {
            let found = outline(document, tool);
            assert_eq!((found.0, found.1.as_str()), (effect, rule), "{tool}");
        }
    }

    #[test]
    fn what_holds_for_all_tools_is_said_of_each() {
        let document = r#"{
            "version": "1", "default": "allow",
            "all_tools": { "limits": [
                { "counter": "calls", "window": "hour", "max": 60 },
                { "counter": "sum", "window": 90, "max": 1.5, "increment_from": "args.amount",
                  "scope": "identity", "key": "args.to" }
            ] }
        }"#;
        let words =
            ["60 an hour for each grant", "1.5 of args.amount in 90 seconds for each identity and args.to"];
        assert_eq!(
            outline(document, "x"),
            (Effect::Allow, "/default".to_owned(), words.map(str::to_owned).to_vec())
        );
        let denied =
            r#"{ "version": "1", "default": "allow", "all_tools": { "deny_if": [{ "conditions": [] }] } }"#;
        assert_eq!(outline(denied, "x").0, Effect::Deny);
    }

    #[test]
    fn shadow_mode_blocks_nothing() {
        let document = r#"{
            "version": "1", "default": "deny", "mode": "shadow", "hide": ["a"],
            "tools": { "b": { "action": "deny" }, "c": { "action": "deny", "mode": "enforce" } }
        }"#;
        for (tool, effect) in
            [("a", Effect::Allow), ("b", Effect::Allow), ("c", Effect::Deny), ("d", Effect::Allow)]
        {
            assert_eq!(outline(document, tool).0, effect, "{tool}");
        }
    }
}
