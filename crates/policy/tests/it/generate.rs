//! Random documents, conditions and arguments, dense in what matters: few names, so that rules and calls meet.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

/// Names that a call may have.
pub const TOOLS: [&str; 6] = ["run", "run_all", "delete", "delete_x", "é", ""];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        3 => (-1_i64..3).prop_map(Value::from),
        1 => Just(json!(1.5)),
        4 => select(vec!["", "a", "ab", "prod", "https://a.test/", "https://u@a.test", "1"]).prop_map(Value::from),
    ]
}

/// A value of a few levels, mostly of none.
pub fn value() -> impl Strategy<Value = Value> {
    let deep = scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(select(vec!["a", "b", "c.d"]), inner, 0..3).prop_map(|map| {
                Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    });
    prop_oneof![2 => scalar(), 1 => deep]
}

/// What a call may bring; `null` for none.
pub fn arguments() -> impl Strategy<Value = Value> {
    let some = prop::collection::btree_map(select(vec!["a", "b", "c.d", "n"]), value(), 0..7)
        .prop_map(|map| Value::Object(map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()));
    prop_oneof![9 => some, 1 => Just(Value::Null)]
}

fn test() -> impl Strategy<Value = Value> {
    let path = select(vec![
        "args",
        "args.a",
        "args.a",
        "args.b",
        "args.b",
        "args.a.a",
        "args.a[0]",
        "args.a[*]",
        "args.a[*]",
        "args.a[*].b",
        "args[\"c.d\"]",
        "args.n",
        "args[\"c.d\"][*].a",
        "grant.label",
        "grant.identity",
        "client.name",
        "client.version",
        "server.name",
        "tool.name",
    ]);
    let operation = prop_oneof![
        (select(vec!["eq", "neq", "contains", "not_contains"]), prop_oneof![4 => scalar(), 1 => value()]),
        (select(vec!["in", "not_in"]), prop::collection::vec(scalar(), 0..9).prop_map(Value::from)),
        (select(vec!["lt", "lte", "gt", "gte"]), (-1_i64..3).prop_map(Value::from)),
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

/// A test, or groups of them.
pub fn condition() -> impl Strategy<Value = Value> {
    test().prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({"all": all})),
            prop::collection::vec(inner.clone(), 1..3).prop_map(|any| json!({"any": any})),
            inner.prop_map(|not| json!({"not": not})),
        ]
    })
}

/// Items with conditions, and with one of these other members or none.
fn items(one: Value, other: Value) -> impl Strategy<Value = Value> {
    let other = select(vec![json!({}), one, other]);
    let conditions = prop_oneof![1 => Just(Vec::new()), 8 => prop::collection::vec(condition(), 1..3)];
    let item = (other, conditions).prop_map(|(mut item, conditions)| {
        item["conditions"] = conditions.into();
        item
    });
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
        let mut actions = vec![None; 8];
        actions.extend([Some("allow"), Some("deny"), Some("hide"), Some("require_approval")]);
        actions
    } else {
        vec![None]
    };
    let mode = select(vec![None, None, Some("enforce"), Some("shadow")]);
    let bare = prop::collection::vec(condition(), 0..2).prop_map(Value::from);
    // What is required is seldom there: often nothing is, or no call would get further.
    let require = prop_oneof![6 => Just(json!([])), 3 => bare, 1 => items(json!({"on_deny": "x"}), json!({"on_deny": ""}))];
    let deny_if = items(json!({"on_deny": "no"}), json!({"on_deny": "é"}));
    let approve_if = items(json!({"message": "ask"}), json!({"expires_in": "90s"}));
    let rate = select(vec![None, Some("3/minute")]);
    let validates = select(vec![None, None, None, None, Some(false), Some(true)]);
    (select(actions), mode, (require, deny_if, approve_if), limits(), rate, validates).prop_map(
        |(action, mode, (require, deny_if, approve_if), limits, rate, validates)| {
            let mut entry =
                json!({"require": require, "deny_if": deny_if, "approve_if": approve_if, "limits": limits});
            let texts = [("action", action), ("mode", mode), ("rate_limit", rate)];
            let texts = texts.map(|(field, text)| (field, text.map(Value::from)));
            for (field, value) in
                texts.into_iter().chain([("validate_arguments", validates.map(Value::from))])
            {
                if let Some(value) = value {
                    entry[field] = value;
                }
            }
            entry
        },
    )
}

/// A document that has every field of the language in some case.
pub fn document() -> impl Strategy<Value = Value> {
    let keys = select(vec!["run", "run_*", "*", "delete", "delete*", "?", "r*n"]);
    let tools = prop::collection::btree_map(keys, entry(true), 0..4);
    let hide = prop::sample::subsequence(vec!["delete", "delete_*", "r?n"], 0..3);
    let default = select(vec!["allow", "deny"]);
    let mode = select(vec!["enforce", "enforce", "shadow"]);
    (default, mode, prop::bool::weighted(0.2), hide, entry(false), tools).prop_map(
        |(default, mode, validates, hide, all_tools, tools)| {
            let tools: Map<String, Value> =
                tools.into_iter().map(|(key, entry)| (key.to_owned(), entry)).collect();
            json!({"version": "1", "default": default, "mode": mode, "validate_arguments": validates, "hide": hide,
                "all_tools": all_tools, "tools": tools})
        },
    )
}
