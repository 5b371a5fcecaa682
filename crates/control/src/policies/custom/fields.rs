//! Rules and limits as fields, read from an entry that can be read, and the field that a problem is about.

use json::{Node, Value};

use super::{Custom, value};

/// The lists of rules, in the order of the form.
pub const RULES: [&str; 3] = ["require", "deny_if", "approve_if"];

/// The fields of a limit, and whether what is typed there is a text.
pub const LIMIT_FIELDS: [(&str, bool); 10] = [
    ("counter", true),
    ("max", false),
    ("window", true),
    ("scope", true),
    ("key", true),
    ("increment", false),
    ("increment_from", true),
    ("align", true),
    ("refund_on_error", false),
    ("on_deny", true),
];

/// An item of `require`, `deny_if` or `approve_if`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleFields {
    /// All of them must hold.
    pub conditions: Vec<ConditionFields>,
    /// `on_deny` or `message`.
    pub message: String,
    /// How long a person may take; of `approve_if` only.
    pub expires_in: String,
}

/// A condition: three fields, or its JSON where it is a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionFields {
    /// What is looked at.
    pub path: String,
    /// What is asked of it.
    pub op: String,
    /// What it is compared with.
    pub value: String,
    /// A group, as it is written; none for a plain condition.
    pub json: Option<String>,
}

/// A limit, field by field in the order of [`LIMIT_FIELDS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitFields([String; LIMIT_FIELDS.len()]);

impl RuleFields {
    /// A rule with one condition to fill in.
    pub fn blank() -> Self {
        Self { conditions: vec![ConditionFields::blank()], ..Self::default() }
    }

    pub(super) fn read(text: &str, rule: &Value<'_>) -> Self {
        let said = |key: &str| rule.get(key).and_then(Value::as_str).map(str::to_owned);
        let Some(conditions) = rule.get("conditions").and_then(Value::as_array) else {
            return Self { conditions: vec![ConditionFields::read(text, rule)], ..Self::default() };
        };
        Self {
            conditions: conditions.iter().map(|condition| ConditionFields::read(text, condition)).collect(),
            message: said("on_deny").or_else(|| said("message")).unwrap_or_default(),
            expires_in: said("expires_in").unwrap_or_default(),
        }
    }
}

impl ConditionFields {
    /// A condition to fill in.
    pub fn blank() -> Self {
        Self { path: "args.".to_owned(), op: "eq".to_owned(), ..Self::default() }
    }

    fn read(text: &str, condition: &Value<'_>) -> Self {
        let said = |key: &str| condition.get(key).and_then(Value::as_str).map(str::to_owned);
        match (said("path"), said("op"), condition.get("value")) {
            (Some(path), Some(op), Some(operand)) => {
                let value = value::shown(&op, raw(text, operand), operand);
                Self { path, op, value, json: None }
            }
            _ => Self { json: Some(raw(text, condition).to_owned()), ..Self::default() },
        }
    }
}

impl LimitFields {
    pub(super) fn read(text: &str, limit: &Value<'_>) -> Self {
        let mut fields = Self::default();
        for (name, _) in LIMIT_FIELDS {
            if let Some(value) = limit.get(name) {
                fields.put(name, scalar(text, value));
            }
        }
        fields.tidy()
    }

    /// What is typed in a field; empty for none.
    pub fn get(&self, name: &str) -> &str {
        LIMIT_FIELDS.iter().position(|(field, _)| *field == name).map_or("", |at| &self.0[at])
    }

    /// Types something into a field.
    pub fn put(&mut self, name: &str, typed: String) {
        if let Some(at) = LIMIT_FIELDS.iter().position(|(field, _)| *field == name) {
            self.0[at] = typed;
        }
    }

    /// What is so unless something else is written needs not be written.
    #[must_use]
    pub fn tidy(mut self) -> Self {
        for (name, usual) in
            [("scope", "grant"), ("align", "sliding"), ("refund_on_error", "false"), ("increment", "1")]
        {
            if self.get(name).trim() == usual {
                self.put(name, String::new());
            }
        }
        self
    }

    /// Something is typed in the fields that are seldom used.
    pub fn has_more(&self) -> bool {
        LIMIT_FIELDS.iter().skip(4).any(|(name, _)| !self.get(name).is_empty())
    }
}

/// The text of a value as it is written.
fn raw<'t>(text: &'t str, value: &Value<'_>) -> &'t str {
    text.get(value.span.start as usize..value.span.end as usize).unwrap_or_default()
}

/// A text without its quotes; anything else as it is written.
pub(super) fn scalar(text: &str, value: &Value<'_>) -> String {
    match &value.node {
        Node::String(content) => content.clone().into_owned(),
        _ => raw(text, value).to_owned(),
    }
}

/// The field of the form that a pointer into the entry leads to.
pub(super) fn field_of(custom: &Custom, pointer: &str) -> Option<String> {
    let tokens: Vec<&str> = pointer.split('/').skip(1).collect();
    match *tokens.as_slice() {
        ["limits", at] => Some(format!("/limits/{at}/counter")),
        ["limits", at, field, ..] => Some(format!("/limits/{at}/{field}")),
        ["rate_limit", "window"] => Some("/rate_window".to_owned()),
        ["rate_limit", ..] => Some("/rate_max".to_owned()),
        ["action" | "reason", ..] => Some("/reason".to_owned()),
        [list, at, ref rest @ ..] => {
            let rules = &custom.rules[RULES.iter().position(|kind| *kind == list)?];
            let rule = rules.get(at.parse::<usize>().ok()?)?;
            let (condition, rest) = match *rest {
                ["conditions", n, ref rest @ ..] => (n.parse().ok()?, rest),
                ["on_deny" | "message", ..] => return Some(format!("/{list}/{at}/message")),
                ["expires_in", ..] => return Some(format!("/{list}/{at}/expires_in")),
                // A condition that stands for its item.
                ref rest => (0, rest),
            };
            let fields = rule.conditions.get(condition)?;
            let field = match rest.first() {
                _ if fields.json.is_some() => "json",
                Some(field) => field,
                None => "path",
            };
            Some(format!("/{list}/{at}/conditions/{condition}/{field}"))
        }
        _ => None,
    }
}
