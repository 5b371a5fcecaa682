//! A tool entry, with its shorthand expanded.

use json::{Span, Value};

use super::Reader;
use crate::condition::Condition;
use crate::document::{Entry, Rule, Written};
use crate::glob::Glob;
use crate::shape::Action;

const FIELDS: [&str; 9] = [
    "require",
    "deny_if",
    "approve_if",
    "limits",
    "validate_arguments",
    "mode",
    "action",
    "reason",
    "rate_limit",
];
/// `all_tools` takes no action.
const FIELDS_OF_ALL: [&str; 7] =
    ["require", "deny_if", "approve_if", "limits", "validate_arguments", "mode", "rate_limit"];

impl Reader<'_> {
    /// Reads the entry of a tool; also the pointer of its `action` where that hides the tool.
    pub(super) fn entry(&mut self, value: &Value<'_>, key: &Glob) -> (Entry, Option<Box<str>>) {
        let mut entry = Entry { pointer: self.pointer.as_str().into(), ..Entry::default() };
        let Some(object) = self.object(value, "a tool entry: an object, `{}` to allow the tool") else {
            return (entry, None);
        };
        let mut action = None;
        let mut reason = None;
        self.fields(object, &FIELDS, |reader, field, value| match field {
            "action" => action = reader.action(value),
            "reason" => reason = reader.text(value, "a text for the caller").map(Into::into),
            _ => reader.entry_field(field, value, &mut entry),
        });
        if let (Some(reason), None) = (object.member("reason"), object.get("action")) {
            self.within("reason", |reader| reader.misplaced_reason(reason.key_span));
        }
        let rule =
            Rule { written: Written::Action, conditions: Box::default(), message: reason, expires_in: None };
        match action {
            Some(Action::Deny) => entry.deny_if.insert(0, rule),
            Some(Action::RequireApproval) => entry.approve_if.insert(0, rule),
            Some(Action::Allow | Action::Hide) | None => {}
        }
        let counter = super::limit::rate_counter(key.as_str());
        self.finish_limits(object, &counter, &mut entry);
        let hides = (action == Some(Action::Hide)).then(|| format!("{}/action", self.pointer).into());
        (entry, hides)
    }

    /// Reads `all_tools`.
    pub(super) fn entry_of_all(&mut self, value: &Value<'_>) -> Entry {
        let mut entry = Entry { pointer: self.pointer.as_str().into(), ..Entry::default() };
        if let Some(object) = self.object(value, "a tool entry without `action`") {
            self.fields(object, &FIELDS_OF_ALL, |reader, field, value| {
                reader.entry_field(field, value, &mut entry);
            });
            self.finish_limits(object, super::limit::COUNTER_OF_ALL, &mut entry);
        }
        entry
    }

    fn entry_field(&mut self, field: &str, value: &Value<'_>, entry: &mut Entry) {
        match field {
            "require" => {
                entry.require = self.elements(value, "a list of conditions", Self::requirement);
            }
            "deny_if" => {
                entry.deny_if =
                    self.elements(value, "a list of objects with `conditions`", |reader, value, i| {
                        reader.item(value, i, &["conditions", "on_deny"])
                    });
            }
            "approve_if" => {
                entry.approve_if =
                    self.elements(value, "a list of objects with `conditions`", |reader, value, i| {
                        reader.item(value, i, &["conditions", "message", "expires_in"])
                    });
            }
            "limits" => {
                entry.limits = self.elements(value, "a list of limits", Self::limit_of_entry);
            }
            "validate_arguments" => entry.validate_arguments = self.flag(value),
            "mode" => entry.mode = self.mode(value),
            // Read when the entry's own limits are known, whatever the order of the keys.
            _ => {}
        }
    }

    fn action(&mut self, value: &Value<'_>) -> Option<Action> {
        let words = [
            ("allow", Action::Allow),
            ("deny", Action::Deny),
            ("hide", Action::Hide),
            ("require_approval", Action::RequireApproval),
        ];
        self.word(value, "unknown_action", &words)
    }

    fn misplaced_reason(&mut self, span: Span) {
        let message = "`reason` says why an `action` refuses: add the `action`, or remove the reason";
        self.problem(span, "misplaced_field", message);
    }

    /// An item of `require`: a condition, or conditions with a message.
    fn requirement(&mut self, value: &Value<'_>, i: u32) -> Option<Rule> {
        if value.get("conditions").is_some() || value.get("on_deny").is_some() {
            return self.item(value, i, &["conditions", "on_deny"]);
        }
        let condition = self.condition(value, 0)?;
        Some(Rule {
            written: Written::Bare(i),
            conditions: [condition].into(),
            message: None,
            expires_in: None,
        })
    }

    /// An item with a list of conditions.
    fn item(&mut self, value: &Value<'_>, i: u32, fields: &[&str]) -> Option<Rule> {
        let object = self.object(value, "an object with `conditions`")?;
        let mut rule =
            Rule { written: Written::Item(i), conditions: Box::default(), message: None, expires_in: None };
        self.fields(object, fields, |reader, field, value| match field {
            "conditions" => {
                let conditions: Vec<Condition> =
                    reader.elements(value, "a list of conditions", |reader, value, _| {
                        reader.condition(value, 0)
                    });
                rule.conditions = conditions.into();
            }
            "expires_in" => rule.expires_in = reader.duration(value),
            _ => rule.message = reader.text(value, "a text for the caller").map(Into::into),
        });
        if object.get("conditions").is_none() {
            self.missing(value, "conditions", "write a list of conditions; `[]` always holds");
        }
        Some(rule)
    }
}
