//! Conditions: a path, an operator and a value, and groups of them.
//!
//! A condition is asked in a place. Where the value is missing, or of a type that the operator doesn't take, the place
//! decides: in `require` the condition fails, in `deny_if` and `approve_if` it holds wherever that could matter.

use std::cmp::Ordering;
use std::sync::Arc;

use json::{Node, Number, Value};

use crate::call::Call;
use crate::host::{HostSet, host_of_url};
use crate::path::{Found, Path, Root, any};
use crate::pattern::Pattern;
use crate::work;

/// Where a condition stands. Inside `not` the place is the other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `require`: must hold, of every element.
    Require,
    /// `deny_if` and `approve_if`: one element suffices.
    Deny,
}

impl Place {
    fn flipped(self) -> Self {
        match self {
            Self::Require => Self::Deny,
            Self::Deny => Self::Require,
        }
    }
}

/// A condition or a group.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Test(Test),
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Not(Box<Condition>),
}

/// One path and what is asked of it.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) path: Path,
    /// One of `neq`, `not_in`, `not_regex`, `not_contains`.
    pub(crate) negative: bool,
    pub(crate) check: Check,
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub(crate) enum Check {
    Equals(Value<'static>),
    OneOf(List),
    Less(Bound, Number<'static>),
    Greater(Bound, Number<'static>),
    Matches(Arc<Pattern>),
    Contains(Value<'static>),
    StartsWith(Box<str>),
    EndsWith(Box<str>),
    LengthAtMost(u64),
    LengthAtLeast(u64),
    HostIn(HostSet),
    Exists(bool),
}

/// The list of `in`, sorted: asking it costs no more for a long one.
#[derive(Debug, Clone)]
pub(crate) struct List(Box<[Value<'static>]>);

/// Whether the bound itself is within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    Excluded,
    Included,
}

impl Condition {
    /// Whether it holds for a call, in a place.
    pub(crate) fn holds(&self, call: &Call<'_>, place: Place) -> bool {
        work::steps(1);
        match self {
            Self::Test(test) => test.holds(call, place),
            Self::All(conditions) => conditions.iter().all(|condition| condition.holds(call, place)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.holds(call, place)),
            Self::Not(condition) => !condition.holds(call, place.flipped()),
        }
    }

    /// The pointers of the tests that made it hold, or not hold, given which of both it did.
    pub(crate) fn explain(
        &self,
        call: &Call<'_>,
        place: Place,
        held: bool,
        pointer: &str,
        out: &mut Vec<String>,
    ) {
        let group = |name: &str, conditions: &[Self], all_decide: bool, out: &mut Vec<String>| {
            let decided =
                conditions.iter().enumerate().filter(|(_, condition)| condition.holds(call, place) == held);
            for (i, condition) in decided.take(if all_decide { usize::MAX } else { 1 }) {
                condition.explain(call, place, held, &format!("{pointer}/{name}/{i}"), out);
            }
        };
        match self {
            Self::Test(_) => out.push(pointer.to_owned()),
            Self::All(conditions) => group("all", conditions, held, out),
            Self::Any(conditions) => group("any", conditions, !held, out),
            Self::Not(condition) => {
                condition.explain(call, place.flipped(), !held, &format!("{pointer}/not"), out);
            }
        }
    }
}

impl Test {
    fn holds(&self, call: &Call<'_>, place: Place) -> bool {
        let one = |found| self.holds_for(found, place);
        match (self.path.root, call.arguments) {
            (Root::Args, None) => one(Found::Missing),
            // Every element must satisfy in `require`; one suffices in `deny_if`.
            (Root::Args, Some(arguments)) => match place {
                Place::Require => !any(arguments, &self.path.steps, &mut |found| !one(found)),
                Place::Deny => any(arguments, &self.path.steps, &mut |found| one(found)),
            },
            (root, _) => one(root.text(call).map_or(Found::Missing, Found::Text)),
        }
    }

    /// The table of safe outcomes.
    fn holds_for(&self, found: Found<'_>, place: Place) -> bool {
        let in_deny = place == Place::Deny;
        match (&self.check, found) {
            (Check::Exists(_), Found::WrongType) => in_deny,
            (Check::Exists(wanted), found) => *wanted != matches!(found, Found::Missing),
            (_, Found::Missing) => in_deny && self.negative,
            (check, found) => match check.satisfied(found) {
                Some(satisfied) => satisfied != self.negative,
                None => in_deny && (self.negative || check.holds_of_any_type()),
            },
        }
    }
}

impl Check {
    /// What the positive operator says of a value that is there; `None` for one of a type that it doesn't take.
    fn satisfied(&self, found: Found<'_>) -> Option<bool> {
        work::steps_of_found(&found);
        let number = || if let Found::Value(value) = found { value.as_number() } else { None };
        match self {
            Self::Equals(wanted) => match found {
                Found::Value(value) => Some(value.equals(wanted)),
                Found::Text(text) => Some(wanted.as_str() == Some(text)),
                Found::Missing | Found::WrongType => None,
            },
            Self::OneOf(list) => match found {
                Found::Value(value) => Some(list.contains(value)),
                Found::Text(text) => Some(list.contains_text(text)),
                Found::Missing | Found::WrongType => None,
            },
            Self::Less(bound, limit) => {
                number().map(|number| within(number.compare(limit), Ordering::Less, *bound))
            }
            Self::Greater(bound, limit) => {
                number().map(|number| within(number.compare(limit), Ordering::Greater, *bound))
            }
            Self::Matches(pattern) => found.as_str().and_then(|text| pattern.matches(text)),
            Self::Contains(wanted) => contains(found, wanted),
            Self::StartsWith(prefix) => found.as_str().map(|text| text.starts_with(&**prefix)),
            Self::EndsWith(suffix) => found.as_str().map(|text| text.ends_with(&**suffix)),
            Self::LengthAtMost(most) => length(found).map(|length| length <= *most),
            Self::LengthAtLeast(least) => length(found).map(|length| length >= *least),
            Self::HostIn(hosts) => host_of_url(found.as_str()?).map(|host| hosts.takes(host)),
            Self::Exists(wanted) => Some(*wanted),
        }
    }

    /// Whether a value of the wrong type makes the positive operator hold in `deny_if`: it could have been anything.
    fn holds_of_any_type(&self) -> bool {
        !matches!(self, Self::Equals(_) | Self::OneOf(_) | Self::Contains(_))
    }
}

impl List {
    pub(crate) fn new(mut elements: Vec<Value<'static>>) -> Self {
        elements.sort_by(Value::compare);
        Self(elements.into())
    }

    pub(crate) fn elements(&self) -> &[Value<'static>] {
        &self.0
    }

    fn contains(&self, wanted: &Value<'_>) -> bool {
        let compare = |element: &Value<'_>| {
            work::steps_of(wanted);
            element.compare(wanted)
        };
        self.0.binary_search_by(compare).is_ok()
    }

    fn contains_text(&self, wanted: &str) -> bool {
        self.contains(&Value::string(wanted))
    }
}

fn within(order: Ordering, side: Ordering, bound: Bound) -> bool {
    order == side || (bound == Bound::Included && order == Ordering::Equal)
}

fn contains(found: Found<'_>, wanted: &Value<'_>) -> Option<bool> {
    let within = |text: &str| wanted.as_str().is_some_and(|part| text.contains(part));
    match found {
        Found::Text(text) => Some(within(text)),
        Found::Value(Value { node: Node::String(text), .. }) => Some(within(text)),
        Found::Value(Value { node: Node::Array(elements), .. }) => {
            Some(elements.iter().any(|element| element.equals(wanted)))
        }
        // Nothing is part of any other value.
        Found::Value(_) => Some(false),
        Found::Missing | Found::WrongType => None,
    }
}

/// Characters of a string, elements of a list, keys of an object.
fn length(found: Found<'_>) -> Option<u64> {
    let length = match found {
        Found::Value(Value { node: Node::Array(elements), .. }) => elements.len(),
        Found::Value(Value { node: Node::Object(object), .. }) => object.len(),
        found => found.as_str()?.chars().count(),
    };
    u64::try_from(length).ok()
}
