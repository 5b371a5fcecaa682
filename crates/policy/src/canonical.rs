//! The canonical form: the document as it is judged, all shorthand expanded, printed as JSON.

use domain::Surface;
use serde_json::value::RawValue;

use crate::condition::{Bound, Check, Condition, Test};
use crate::document::{Entry, Policy, Rule, Written};
use crate::limit::Cost;
use crate::shape;
use crate::verdict::{Limit, decimal};

impl Policy {
    /// The canonical form as JSON text. Read again, it judges the same; only the rules of shorthand have another pointer.
    /// It nests no deeper than what was read, but may be longer than a document may be.
    pub fn canonical(&self) -> String {
        let mut hide: Vec<&str> = self.hide.iter().map(|hidden| hidden.glob.as_str()).collect();
        hide.sort_unstable();
        hide.dedup();
        let document = shape::Document {
            version: shape::Version::One,
            description: self.description.as_deref().map(str::to_owned),
            default: if self.default_allows { shape::Default::Allow } else { shape::Default::Deny },
            mode: Some(self.mode),
            validate_arguments: Some(self.validate_arguments),
            methods: methods(self),
            hide: hide.into_iter().map(|name| shape::Name(name.to_owned())).collect(),
            all_tools: Some(shape::EntryOfAll(entry(&self.all_tools))),
            tools: self.tools.iter().map(|tool| (tool.key.as_str().to_owned(), entry(&tool.entry))).collect(),
        };
        // Maps of text keys and texts that are JSON already can always be printed.
        serde_json::to_string_pretty(&document).unwrap_or_default()
    }
}

/// Those that were written: the others follow `default`.
fn methods(policy: &Policy) -> Option<shape::Methods> {
    let stance = |surface| {
        let stance = |allows| if allows { shape::Default::Allow } else { shape::Default::Deny };
        policy.methods.stance(surface).map(stance)
    };
    policy.methods.is_written().then(|| shape::Methods {
        resources: stance(Surface::Resources),
        prompts: stance(Surface::Prompts),
        completion: stance(Surface::Completion),
        sampling: stance(Surface::Sampling),
        elicitation: stance(Surface::Elicitation),
        roots: stance(Surface::Roots),
    })
}

fn entry(entry: &Entry) -> shape::Entry {
    let item =
        |rule: &Rule| shape::DenyIf { conditions: conditions(&rule.conditions), on_deny: message(rule) };
    shape::Entry {
        mode: entry.mode,
        validate_arguments: entry.validate_arguments,
        require: entry
            .require
            .iter()
            .map(|rule| bare(rule).unwrap_or_else(|| shape::Requirement::Item(item(rule))))
            .collect(),
        deny_if: entry.deny_if.iter().map(item).collect(),
        approve_if: entry
            .approve_if
            .iter()
            .map(|rule| shape::ApproveIf {
                conditions: conditions(&rule.conditions),
                message: message(rule),
                expires_in: rule.expires_in.map(|seconds| format!("{seconds}s")),
            })
            .collect(),
        limits: entry.limits.iter().map(|limit| self::limit(limit)).collect(),
        ..shape::Entry::default()
    }
}

/// A requirement that was written as the condition alone: wrapping it would nest deeper than a document may.
fn bare(rule: &Rule) -> Option<shape::Requirement> {
    let [alone] = &*rule.conditions else { return None };
    matches!(rule.written, Written::Bare(_)).then(|| shape::Requirement::Bare(condition(alone)))
}

fn message(rule: &Rule) -> Option<String> {
    rule.message.as_deref().map(str::to_owned)
}

fn limit(limit: &Limit) -> shape::Limit {
    let (increment, increment_from) = match &limit.cost {
        Cost::Fixed(micros) => (Some(shape::Amount(raw(decimal(*micros)))), None),
        Cost::From(path) => (None, Some(path.to_string())),
    };
    shape::Limit {
        counter: limit.counter.to_string(),
        window: limit.window,
        max: shape::Amount(raw(decimal(limit.max_micros))),
        scope: Some(limit.scope),
        key: limit.key.as_ref().map(ToString::to_string),
        increment,
        increment_from,
        align: Some(limit.align),
        refund_on_error: Some(limit.refund_on_error),
        on_deny: limit.message_is_written.then(|| limit.message.to_string()),
    }
}

fn conditions(conditions: &[Condition]) -> Vec<shape::Condition> {
    conditions.iter().map(condition).collect()
}

fn condition(condition: &Condition) -> shape::Condition {
    match condition {
        Condition::Test(test) => shape::Condition::Test(self::test(test)),
        Condition::All(inner) => shape::Condition::All { all: conditions(inner) },
        Condition::Any(inner) => shape::Condition::Any { any: conditions(inner) },
        Condition::Not(inner) => shape::Condition::Not { not: Box::new(self::condition(inner)) },
    }
}

fn test(test: &Test) -> shape::Test {
    let quoted = |text: &str| json::Value::string(text).canonical();
    let list = |elements: Vec<String>| format!("[{}]", elements.join(","));
    let (positive, negative, value) = match &test.check {
        Check::Equals(value) => ("eq", "neq", value.canonical()),
        Check::OneOf(values) => {
            ("in", "not_in", list(values.elements().iter().map(json::Value::canonical).collect()))
        }
        Check::Less(Bound::Excluded, number) => ("lt", "", number.canonical()),
        Check::Less(Bound::Included, number) => ("lte", "", number.canonical()),
        Check::Greater(Bound::Excluded, number) => ("gt", "", number.canonical()),
        Check::Greater(Bound::Included, number) => ("gte", "", number.canonical()),
        Check::Matches(pattern) => ("regex", "not_regex", quoted(pattern.as_str())),
        Check::Contains(value) => ("contains", "not_contains", value.canonical()),
        Check::StartsWith(prefix) => ("starts_with", "", quoted(prefix)),
        Check::EndsWith(suffix) => ("ends_with", "", quoted(suffix)),
        Check::LengthAtMost(length) => ("length_lte", "", length.to_string()),
        Check::LengthAtLeast(length) => ("length_gte", "", length.to_string()),
        Check::HostIn(hosts) => {
            ("url_host_in", "", list(hosts.elements().map(|host| quoted(&host)).collect()))
        }
        Check::Exists(wanted) => ("exists", "", wanted.to_string()),
    };
    shape::Test {
        path: test.path.to_string(),
        op: if test.negative { negative } else { positive },
        value: raw(value),
    }
}

/// A text that is JSON.
fn raw(json: String) -> Box<RawValue> {
    RawValue::from_string(json).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
