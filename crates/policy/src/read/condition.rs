//! Conditions and groups.

use std::sync::Arc;

use json::{Node, Value};

use super::{Reader, one_of, shown};
use crate::condition::{Bound, Check, Condition, List, Test};
use crate::host::HostSet;
use crate::path::Path;
use crate::pattern::Pattern;

/// Groups within each other.
const MAX_GROUPS: usize = 8;
/// Conditions of a document.
const MAX_CONDITIONS: usize = 256;

const FIELDS: [&str; 3] = ["path", "op", "value"];
const GROUPS: [&str; 3] = ["all", "any", "not"];

/// Every operator: its name, what it is made of, and whether it is the negative of that.
pub(crate) const OPERATORS: [(&str, Operator, bool); 18] = [
    ("eq", Operator::Equals, false),
    ("neq", Operator::Equals, true),
    ("in", Operator::OneOf, false),
    ("not_in", Operator::OneOf, true),
    ("lt", Operator::Less(Bound::Excluded), false),
    ("lte", Operator::Less(Bound::Included), false),
    ("gt", Operator::Greater(Bound::Excluded), false),
    ("gte", Operator::Greater(Bound::Included), false),
    ("regex", Operator::Matches, false),
    ("not_regex", Operator::Matches, true),
    ("contains", Operator::Contains, false),
    ("not_contains", Operator::Contains, true),
    ("starts_with", Operator::StartsWith, false),
    ("ends_with", Operator::EndsWith, false),
    ("length_lte", Operator::LengthAtMost, false),
    ("length_gte", Operator::LengthAtLeast, false),
    ("url_host_in", Operator::HostIn, false),
    ("exists", Operator::Exists, false),
];

/// What an operator asks, before its operand is known.
#[derive(Clone, Copy)]
pub(crate) enum Operator {
    Equals,
    OneOf,
    Less(Bound),
    Greater(Bound),
    Matches,
    Contains,
    StartsWith,
    EndsWith,
    LengthAtMost,
    LengthAtLeast,
    HostIn,
    Exists,
}

impl Reader<'_> {
    /// Reads a condition, or a group that stands within `groups` others.
    pub(super) fn condition(&mut self, value: &Value<'_>, groups: usize) -> Option<Condition> {
        let object = self.object(value, "a condition: an object with `path`, `op` and `value`")?;
        let Some(group) = GROUPS.into_iter().find(|group| object.get(group).is_some()) else {
            return self.test(value).map(Condition::Test);
        };
        if groups == MAX_GROUPS {
            let message = format!("groups stand at most {MAX_GROUPS} within each other: flatten them");
            self.problem(value.span, "too_deep", message);
            return None;
        }
        let mut condition = None;
        self.fields(object, &[group], |reader, _, value| {
            condition = match group {
                "all" => Some(Condition::All(reader.group(value, groups))),
                "any" => Some(Condition::Any(reader.group(value, groups))),
                _ => reader.condition(value, groups + 1).map(|inner| Condition::Not(Box::new(inner))),
            };
        });
        condition
    }

    fn group(&mut self, value: &Value<'_>, groups: usize) -> Box<[Condition]> {
        let conditions = self
            .elements(value, "a list of conditions", |reader, value, _| reader.condition(value, groups + 1));
        if value.as_array().is_some_and(<[_]>::is_empty) {
            self.problem(
                value.span,
                "empty_group",
                "a group needs a condition: add one, or remove the group",
            );
        }
        conditions.into()
    }

    fn test(&mut self, value: &Value<'_>) -> Option<Test> {
        self.conditions += 1;
        if self.conditions == MAX_CONDITIONS + 1 {
            let message = format!(
                "this is one condition more than the {MAX_CONDITIONS} that a document may have: split it"
            );
            self.problem(value.span, "too_many_conditions", message);
        }
        let object = self.object(value, "a condition")?;
        let (mut path, mut operator, mut operand) = (None, None, None);
        self.fields(object, &FIELDS, |reader, field, value| match field {
            "path" => path = reader.path(value),
            "op" => operator = reader.operator(value),
            _ => operand = Some(value.clone().into_owned()),
        });
        for (field, how) in [
            ("path", "write what to look at, as `args.amount`"),
            ("op", "write an operator, as `eq`"),
            ("value", "write what to compare with"),
        ] {
            if object.get(field).is_none() {
                self.missing(value, field, how);
            }
        }
        let (operator, negative) = operator?;
        let check = self.within("value", |reader| reader.check(operator, &operand?));
        Some(Test { path: path?, negative, check: check? })
    }

    pub(super) fn path(&mut self, value: &Value<'_>) -> Option<Path> {
        let text = self.text(value, "a path, as `args.amount`")?;
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                self.problem(value.span, "bad_path", format!("`{}` is not a path: {error}", shown(text)));
                None
            }
        }
    }

    fn operator(&mut self, value: &Value<'_>) -> Option<(Operator, bool)> {
        let text = self.text(value, "an operator, as `eq`")?;
        let found = OPERATORS.iter().find(|(name, ..)| *name == text);
        if found.is_none() {
            let names = OPERATORS.map(|(name, ..)| name);
            let message = format!("unknown operator `{}`: use {}", shown(text), one_of(&names));
            self.problem(value.span, "unknown_operator", message);
        }
        found.map(|(_, operator, negative)| (*operator, *negative))
    }

    /// Reads the operand that an operator asks for.
    fn check(&mut self, operator: Operator, value: &Value<'static>) -> Option<Check> {
        Some(match operator {
            Operator::Equals => {
                self.warn_of_null(value);
                Check::Equals(value.clone())
            }
            Operator::OneOf => {
                let elements = self.elements(value, "a list of values", |reader, value, _| {
                    reader.warn_of_null(value);
                    Some(value.clone().into_owned())
                });
                Check::OneOf(List::new(elements))
            }
            Operator::Less(bound) => Check::Less(bound, self.number(value, "a number")?.clone().into_owned()),
            Operator::Greater(bound) => {
                Check::Greater(bound, self.number(value, "a number")?.clone().into_owned())
            }
            Operator::Matches => Check::Matches(self.pattern(value)?),
            Operator::Contains => Check::Contains(value.clone()),
            Operator::StartsWith => Check::StartsWith(self.text(value, "a text")?.into()),
            Operator::EndsWith => Check::EndsWith(self.text(value, "a text")?.into()),
            Operator::LengthAtMost => Check::LengthAtMost(self.length(value)?),
            Operator::LengthAtLeast => Check::LengthAtLeast(self.length(value)?),
            Operator::HostIn => Check::HostIn(self.hosts(value)),
            Operator::Exists => Check::Exists(self.flag(value)?),
        })
    }

    /// `null` counts as missing, so a comparison with it never finds what its author means.
    fn warn_of_null(&mut self, value: &Value<'_>) {
        if matches!(value.node, Node::Null) {
            let message = "`null` counts as missing, so nothing is equal to it: ask with `exists`";
            self.note(value.span, "never_equal", message);
        }
    }

    fn length(&mut self, value: &Value<'_>) -> Option<u64> {
        let number = self.number(value, "a whole number, 0 or more")?;
        let fits = number.is_whole() && number.to_micros_floor() != Err(json::Unpayable::Negative);
        if !fits {
            self.problem(value.span, "out_of_range", "a length is a whole number: write 0 or more");
        }
        // Nothing is longer than 64 bits count.
        fits.then(|| number.to_u64().unwrap_or(u64::MAX))
    }

    fn pattern(&mut self, value: &Value<'_>) -> Option<Arc<Pattern>> {
        let text = self.text(value, "a regular expression")?;
        if let Some(known) = self.patterns.get(text).cloned() {
            if known.is_none() {
                self.problem(
                    value.span,
                    "bad_regex",
                    "the same as a regular expression above: mend it here too",
                );
            }
            return known;
        }
        let pattern = Pattern::compile(text)
            .map_err(|error| self.problem(value.span, "bad_regex", error.to_string()))
            .ok()
            .map(Arc::new);
        self.patterns.insert(text.to_owned(), pattern.clone());
        pattern
    }

    fn hosts(&mut self, value: &Value<'_>) -> HostSet {
        let mut hosts = HostSet::default();
        self.elements(value, "a list of hosts", |reader, value, _| {
            let text = reader.text(value, "a host, as `api.example.com` or `*.example.com`")?;
            if hosts.add(text).is_none() {
                let message = format!(
                    "`{}` is not a host: write `api.example.com`, `*.example.com` for every host below it, or an \
                     address, without scheme, port and path; non-ASCII names as `xn--`",
                    shown(text)
                );
                reader.problem(value.span, "bad_host", message);
            }
            Some(())
        });
        hosts
    }
}
