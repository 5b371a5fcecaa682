//! The entry of one tool as the fields of a form: what stands in them, and back into the JSON. Values are as they are
//! typed; what is wrong with them is said by the reader of the language, at the field.

mod fields;
mod value;
mod write;

use json::Value;
use vault::sha256;

use super::edit::{DEPTH, Edit};
use super::table::governing;
use crate::{DocumentProblem, Error};

pub use fields::{ConditionFields, LIMIT_FIELDS, LimitFields, RULES, RuleFields};
pub use write::customise;

/// The conditions and limits of one tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Custom {
    /// The tool.
    pub tool: String,
    /// The digest of the entry that the form was made from: one that was changed since is not written over.
    pub base: String,
    /// A person approves what no rule refuses.
    pub ask: bool,
    /// Why, for that person.
    pub reason: String,
    /// Calls of each grant, of the shorthand `rate_limit`; empty for none.
    pub rate_max: String,
    /// The window of these.
    pub rate_window: String,
    /// What every call must satisfy, what denies it, and what a person is asked about: in the order of [`RULES`].
    pub rules: [Vec<RuleFields>; 3],
    /// What is counted beside `rate_limit`.
    pub limits: Vec<LimitFields>,
}

impl Custom {
    /// What a document says of a tool, by the entry that governs it.
    pub fn of(document: &str, tool: &str) -> Result<Self, Error> {
        let policy = super::read(document).map_err(Error::InvalidPolicy)?;
        let edit = Edit::new(document);
        let entry = governing(&edit, &policy, tool);
        Ok(Self::read(tool, entry.as_deref().unwrap_or("{}")))
    }

    /// The fields of an entry that can be read.
    fn read(tool: &str, entry: &str) -> Self {
        let mut custom = Self {
            tool: tool.to_owned(),
            base: digest(entry),
            rate_window: "minute".to_owned(),
            ..Self::default()
        };
        let Ok(value) = json::parse(entry.as_bytes(), DEPTH) else { return custom };
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        custom.ask = text("action") == ASK;
        if custom.ask {
            custom.reason = text("reason");
        }
        if let Some(rate) = value.get("rate_limit") {
            let raw = |key: &str| rate.get(key).map(|value| fields::scalar(entry, value)).unwrap_or_default();
            (custom.rate_max, custom.rate_window) = match rate.as_str().and_then(|rate| rate.split_once('/'))
            {
                Some((max, window)) => (max.to_owned(), window.to_owned()),
                None => (raw("max"), raw("window")),
            };
        }
        let list = |key: &str| value.get(key).and_then(Value::as_array).unwrap_or_default();
        custom.rules =
            RULES.map(|kind| list(kind).iter().map(|rule| RuleFields::read(entry, rule)).collect());
        custom.limits = list("limits").iter().map(|limit| LimitFields::read(entry, limit)).collect();
        custom
    }

    /// A limit to fill in, with a counter that no other limit of the entry has.
    pub fn new_limit(&self) -> LimitFields {
        let plain: String = self
            .tool
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' })
            .take(48)
            .collect();
        let taken = |name: &String| self.limits.iter().any(|limit| limit.get("counter") == name);
        let numbered = (2..).map(|n| format!("{plain}.{n}"));
        let name = std::iter::once(format!("{plain}.calls")).chain(numbered).find(|name| !taken(name));
        let mut limit = LimitFields::default();
        limit.put("counter", name.unwrap_or_default());
        limit.put("window", "hour".to_owned());
        limit
    }
}

/// The action that asks a person.
const ASK: &str = "require_approval";

/// What an entry is recognised by.
fn digest(entry: &str) -> String {
    use std::fmt::Write as _;
    sha256(entry.as_bytes())[..12].iter().fold(String::new(), |mut text, byte| {
        // Writing into a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The fields that the reader's problems are about: `/tools/x/require/0/path` is `/require/0/conditions/0/path`.
fn at_fields(custom: &Custom, problems: Vec<DocumentProblem>) -> Error {
    let entry = format!("/tools/{}", custom.tool.replace('~', "~0").replace('/', "~1"));
    let mut found = crate::input::Problems::new();
    for problem in problems {
        // What is missing is said of the object that lacks it.
        let lacks = problem.message.split('`').nth(1).filter(|_| problem.code == "missing_field");
        let pointer =
            lacks.map_or_else(|| problem.pointer.clone(), |name| format!("{}/{name}", problem.pointer));
        let field = pointer.strip_prefix(&entry).and_then(|rest| fields::field_of(custom, rest));
        found.note(&field.unwrap_or_default(), problem.message);
    }
    found.into()
}

#[cfg(test)]
mod tests;
