//! What holds of every document and every call.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use policy::{ArgumentSchema, Call, Policy, ToolState, Verdict};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::case::{CONTEXT, line, verdict};
use super::generate::{TOOLS, arguments, condition, document};

fn read(document: &Value) -> Policy {
    Policy::read(document.to_string().as_bytes())
        .unwrap_or_else(|problems| panic!("{document}\n{problems:#?}"))
}

/// What every tool's arguments are held to, where that is asked for.
static SCHEMA: LazyLock<ArgumentSchema> = LazyLock::new(|| {
    let schema = json!({"properties": {"n": {"type": ["number", "null", "string"]}}});
    ArgumentSchema::compile(&schema).expect("compiles")
});

fn judge(policy: &Policy, tool: &str, arguments: &Value) -> Verdict {
    let arguments = if arguments.is_null() { String::new() } else { arguments.to_string() };
    verdict(policy, tool, &arguments, Some(&SCHEMA))
}

/// The verdict without the places of rules, which shorthand has elsewhere than what it stands for.
fn outcome(verdict: &Verdict) -> String {
    let words = line(verdict);
    let places = |word: &str| match word.split_once('=') {
        Some((_, amount)) => format!("={amount}"),
        None if word.starts_with('/') => "/".to_owned(),
        None => word.to_owned(),
    };
    words.split(' ').map(places).collect::<Vec<_>>().join(" ")
}

/// The same value with every object's keys in another order.
fn reordered(value: &Value) -> Value {
    match value {
        Value::Array(elements) => elements.iter().map(reordered).collect(),
        Value::Object(members) => {
            let reversed = members.iter().rev().map(|(key, value)| (key.clone(), reordered(value)));
            Value::Object(reversed.collect())
        }
        scalar => scalar.clone(),
    }
}

fn is_allowed(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Allow { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn another_denial_or_requirement_never_allows_more(
        document in document(), condition in condition(), tool in select(TOOLS.to_vec()), arguments in arguments(), at in 0_usize..3,
    ) {
        let before = judge(&read(&document), tool, &arguments);
        let mut places: Vec<String> = vec!["/all_tools".to_owned()];
        places.extend(document["tools"].as_object().into_iter().flatten().map(|(key, _)| format!("/tools/{key}")));
        let item = json!({"conditions": [condition]});
        for (list, item) in [("deny_if", &item), ("require", &condition), ("require", &item), ("approve_if", &item)] {
            let mut stricter = document.clone();
            let place = &places[at % places.len()];
            let items = stricter.pointer_mut(&format!("{place}/{list}")).and_then(Value::as_array_mut).expect("a list");
            items.insert(at.min(items.len()), item.clone());
            let after = judge(&read(&stricter), tool, &arguments);
            prop_assert!(is_allowed(&before) || !is_allowed(&after), "{document}\n{stricter}");
        }
    }

    #[test]
    fn a_document_printed_and_read_again_judges_the_same(
        document in document(), tool in select(TOOLS.to_vec()), arguments in arguments(),
    ) {
        let policy = read(&document);
        let printed = policy.canonical();
        let again = Policy::read(printed.as_bytes()).expect("the canonical form reads");
        prop_assert_eq!(outcome(&judge(&policy, tool, &arguments)), outcome(&judge(&again, tool, &arguments)));
        prop_assert_eq!(policy.shows(tool), again.shows(tool));
        prop_assert_eq!(again.canonical(), printed);
    }

    #[test]
    fn the_order_of_keys_is_no_matter(document in document(), tool in select(TOOLS.to_vec()), arguments in arguments()) {
        let (policy, other) = (read(&document), read(&reordered(&document)));
        prop_assert_eq!(judge(&policy, tool, &arguments), judge(&other, tool, &reordered(&arguments)));
        prop_assert_eq!(policy.canonical(), other.canonical());
    }

    #[test]
    fn hiding_always_wins(document in document(), tool in select(TOOLS[..4].to_vec()), arguments in arguments()) {
        let mut hiding = document;
        hiding["mode"] = "enforce".into();
        for name in [tool, "*", &format!("{}*", &tool[..1])] {
            hiding["hide"] = json!([name]);
            let policy = read(&hiding);
            prop_assert_eq!(line(&judge(&policy, tool, &arguments)), "hide (hidden)");
            prop_assert!(!policy.shows(tool));
        }
    }

    #[test]
    fn shadow_blocks_nothing(document in document(), tool in select(TOOLS.to_vec()), arguments in arguments()) {
        let enforced = judge(&read(&without_modes(&document, "enforce")), tool, &arguments);
        let shadowed = judge(&read(&without_modes(&document, "shadow")), tool, &arguments);
        match (&enforced, &shadowed) {
            (Verdict::Allow { charges, .. }, Verdict::Allow { charges: own, shadow: None }) => prop_assert_eq!(charges.len(), own.len()),
            (_, Verdict::Allow { charges, shadow: Some(shadow) }) => {
                prop_assert!(charges.is_empty());
                prop_assert_eq!(line(&enforced), format!("{} {}", shadow.outcome.as_str(), shadow.refusal.rule));
            }
            _ => prop_assert!(false, "{} {}", line(&enforced), line(&shadowed)),
        }
    }

    #[test]
    fn every_rule_is_a_place_in_the_document(document in document(), tool in select(TOOLS.to_vec()), arguments in arguments()) {
        let refusals = match judge(&read(&document), tool, &arguments) {
            Verdict::Allow { charges, shadow } => {
                for charge in charges {
                    prop_assert!(document.pointer(&charge.limit.rule).is_some(), "{}", charge.limit.rule);
                }
                shadow.map(|shadow| shadow.refusal)
            }
            Verdict::Deny(refusal) | Verdict::Hide(refusal) | Verdict::Pending { refusal, .. } => Some(refusal),
        };
        if let Some(refusal) = refusals {
            prop_assert!(refusal.rule.starts_with('(') || document.pointer(&refusal.rule).is_some(), "{}", refusal.rule);
            for condition in &refusal.conditions {
                prop_assert!(document.pointer(condition).is_some_and(|place| place["path"].is_string()), "{condition}");
            }
        }
    }

    #[test]
    fn conditions_are_safe_in_either_place(condition in condition(), arguments in arguments()) {
        // What holds where it must, holds where it may: `require` is never laxer than `deny_if`.
        let judge_in = |entry: Value| {
            let document = json!({"version": "1", "default": "deny", "tools": {"a": entry}});
            is_allowed(&judge(&read(&document), "a", &arguments))
        };
        let required = judge_in(json!({"require": [condition]}));
        let denied = !judge_in(json!({"deny_if": [{"conditions": [condition]}]}));
        let has_star = condition.to_string().contains("[*]");
        prop_assert!(!required || denied || has_star, "{condition} {arguments}");
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Policy::read(&bytes);
    }

    #[test]
    fn no_damage_makes_the_reader_panic(document in document(), cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = document.to_string().into_bytes();
        let at = cut.index(text.len());
        text[at] = byte;
        if let Ok(policy) = Policy::read(&text) {
            let _ = Policy::read(policy.canonical().as_bytes()).expect("the canonical form reads");
        }
        let _ = Policy::read(&text[..at]);
    }
}

/// What is held above is only worth as much as the conditions and calls that it is held of: each operator decides in each
/// place, plain and negated.
#[test]
fn every_operator_decides_in_every_place() {
    let mut runner = TestRunner::deterministic();
    let texts: Vec<String> =
        (0..120).map(|_| arguments().new_tree(&mut runner).expect("a case").current().to_string()).collect();
    let calls: Vec<_> = texts.iter().map(|text| ::json::parse(text.as_bytes(), 64).expect("JSON")).collect();
    let condition = condition();
    let (mut decided, mut operators) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..1000 {
        let condition = condition.new_tree(&mut runner).expect("a case").current();
        for list in LISTS {
            let item = json!({"conditions": [condition]});
            let document = json!({"version": "1", "default": "deny", "tools": {"run": {list: [item]}}});
            let policy = read(&document);
            for arguments in &calls {
                let call = Call {
                    tool: "run",
                    arguments: Some(arguments),
                    context: CONTEXT,
                    state: ToolState::default(),
                };
                let (Verdict::Deny(refusal) | Verdict::Pending { refusal, .. }) = policy.judge(&call) else {
                    continue;
                };
                for pointer in refusal.conditions {
                    let negated = pointer.matches("/not").count() % 2 == 1;
                    let op = document.pointer(&pointer).expect("a condition")["op"].to_string();
                    operators.insert(op.clone());
                    decided.insert((list, negated, op));
                }
            }
        }
    }
    assert_eq!(operators.len(), 18, "{operators:?}");
    let mut missing = Vec::new();
    for (list, op) in LISTS.iter().flat_map(|list| operators.iter().map(move |op| (*list, op))) {
        let cases = [false, true].map(|negated| (list, negated, op.clone()));
        missing.extend(cases.into_iter().filter(|case| !decided.contains(case)));
    }
    assert!(missing.is_empty(), "these never decide: {missing:?}");
}

const LISTS: [&str; 3] = ["require", "deny_if", "approve_if"];

/// The documents and calls meet every outcome and every step.
#[test]
fn every_step_is_reached() {
    let mut runner = TestRunner::deterministic();
    let strategy = (document(), prop::collection::vec(arguments(), 10));
    let mut reached = BTreeSet::new();
    for _ in 0..300 {
        let (document, all_arguments) = strategy.new_tree(&mut runner).expect("a case").current();
        let policy = read(&document);
        for (tool, arguments) in TOOLS.iter().cycle().zip(&all_arguments) {
            let line = line(&judge(&policy, tool, arguments));
            reached.extend(line.split([' ', '/', '=']).map(str::to_owned));
        }
    }
    for word in [
        "allow",
        "deny",
        "hide",
        "pending",
        "shadow",
        "(hidden)",
        "(default",
        "validate_arguments",
        "require",
        "deny_if",
        "approve_if",
        "limits",
        "action",
        "rate_limit",
        "all_tools",
    ] {
        assert!(reached.contains(word), "{word}: {reached:?}");
    }
}

fn without_modes(document: &Value, mode: &str) -> Value {
    let mut document = document.clone();
    document["mode"] = mode.into();
    if let Some(all) = document["all_tools"].as_object_mut() {
        all.remove("mode");
    }
    for (_, entry) in document["tools"].as_object_mut().into_iter().flatten() {
        entry.as_object_mut().map(|entry| entry.remove("mode"));
    }
    document
}
