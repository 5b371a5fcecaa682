//! What holds of every document and every call.

use policy::{Policy, Verdict};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::case::{line, verdict};

const TOOLS: [&str; 6] = ["run", "run_all", "delete", "delete_x", "é", ""];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        Just(json!(1.5)),
        select(vec!["", "a", "ab", "prod", "https://a.test/", "https://u@a.test", "1"]).prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(select(vec!["a", "b", "c.d"]), inner, 0..3).prop_map(|map| {
                Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn arguments() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(select(vec!["a", "b", "c.d", "n"]), value(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn test() -> impl Strategy<Value = Value> {
    let path = select(vec![
        "args",
        "args.a",
        "args.b",
        "args.a.a",
        "args.a[0]",
        "args.a[*]",
        "args.a[*].b",
        "args[\"c.d\"]",
        "args.n",
        "grant.label",
        "client.name",
        "tool.name",
    ]);
    let operation = prop_oneof![
        (select(vec!["eq", "neq", "contains", "not_contains"]), value()),
        (select(vec!["in", "not_in"]), prop::collection::vec(scalar(), 0..4).prop_map(Value::from)),
        (select(vec!["lt", "lte", "gt", "gte"]), (-3_i64..4).prop_map(Value::from)),
        (
            select(vec!["regex", "not_regex"]),
            select(vec!["", "^a", "b$", "^\\w+$", "prod|dev"]).prop_map(Value::from)
        ),
        (select(vec!["starts_with", "ends_with"]), select(vec!["", "a", "b"]).prop_map(Value::from)),
        (select(vec!["length_lte", "length_gte"]), (0_u8..4).prop_map(Value::from)),
        (Just("url_host_in"), Just(json!(["a.test", "*.b.test"]))),
        (Just("exists"), any::<bool>().prop_map(Value::from)),
    ];
    (path, operation).prop_map(|(path, (op, value))| json!({"path": path, "op": op, "value": value}))
}

fn condition() -> impl Strategy<Value = Value> {
    test().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({"all": all})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({"any": any})),
            inner.prop_map(|not| json!({"not": not})),
        ]
    })
}

fn items() -> impl Strategy<Value = Value> {
    let item =
        prop::collection::vec(condition(), 0..3).prop_map(|conditions| json!({"conditions": conditions}));
    prop::collection::vec(item, 0..3).prop_map(Value::from)
}

fn limits() -> impl Strategy<Value = Value> {
    let fixed = json!({"counter": "c", "window": "minute", "max": 5});
    let cost =
        json!({"counter": "d", "window": 90, "max": 5.5, "increment_from": "args.n", "scope": "server"});
    let keyed = json!({"counter": "e", "window": "day", "max": 5, "key": "args.a", "increment": 0.25, "align": "calendar"});
    prop::sample::subsequence(vec![fixed, cost, keyed], 0..=3).prop_map(Value::from)
}

fn entry(with_action: bool) -> impl Strategy<Value = Value> {
    let actions = if with_action {
        vec![None, None, Some("allow"), Some("deny"), Some("hide"), Some("require_approval")]
    } else {
        vec![None]
    };
    let mode = select(vec![None, None, Some("enforce"), Some("shadow")]);
    let require = prop::collection::vec(condition(), 0..2).prop_map(Value::from);
    let rate = select(vec![None, Some("3/minute")]);
    (select(actions), mode, require, items(), items(), limits(), rate).prop_map(
        |(action, mode, require, deny_if, approve_if, limits, rate)| {
            let mut entry =
                json!({"require": require, "deny_if": deny_if, "approve_if": approve_if, "limits": limits});
            for (field, value) in [("action", action), ("mode", mode), ("rate_limit", rate)] {
                if let Some(value) = value {
                    entry[field] = value.into();
                }
            }
            entry
        },
    )
}

fn document() -> impl Strategy<Value = Value> {
    let keys = select(vec!["run", "run_*", "*", "delete", "delete*", "?", "r*n"]);
    let tools = prop::collection::btree_map(keys, entry(true), 0..4);
    let hide = prop::sample::subsequence(vec!["delete", "delete_*", "r?n"], 0..3);
    (select(vec!["allow", "deny"]), select(vec!["enforce", "enforce", "shadow"]), hide, entry(false), tools).prop_map(|(default, mode, hide, all_tools, tools)| {
        let tools: Map<String, Value> = tools.into_iter().map(|(key, entry)| (key.to_owned(), entry)).collect();
        json!({"version": "1", "default": default, "mode": mode, "hide": hide, "all_tools": all_tools, "tools": tools})
    })
}

fn read(document: &Value) -> Policy {
    Policy::read(document.to_string().as_bytes())
        .unwrap_or_else(|problems| panic!("{document}\n{problems:#?}"))
}

fn judge(policy: &Policy, tool: &str, arguments: &Value) -> Verdict {
    verdict(policy, tool, &arguments.to_string(), None)
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
        for (list, item) in [("deny_if", json!({"conditions": [condition]})), ("require", condition.clone())] {
            let mut stricter = document.clone();
            let place = &places[at % places.len()];
            let items = stricter.pointer_mut(&format!("{place}/{list}")).and_then(Value::as_array_mut).expect("a list");
            items.insert(at.min(items.len()), item);
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
        hiding["hide"] = json!([tool]);
        hiding["mode"] = "enforce".into();
        let policy = read(&hiding);
        prop_assert_eq!(line(&judge(&policy, tool, &arguments)), "hide (hidden)");
        prop_assert!(!policy.shows(tool));
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
