//! What judging costs: nothing on the heap beyond the verdict, and never more than in proportion to what is judged.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use policy::{Call, Policy, ToolState, Verdict};

use super::case::{CONTEXT, read};

/// 256 conditions of every kind, all of which must be asked.
fn document(conditions: usize) -> String {
    let kinds = [
        r#"{"path":"args.id","op":"regex","value":"^[A-Za-z0-9_-]{1,64}$"}"#,
        r#"{"path":"args.amount","op":"lte","value":10000.50}"#,
        r#"{"path":"args.kind","op":"in","value":["a","b","c",1,2.5]}"#,
        r#"{"path":"args.items[*].n","op":"gt","value":0}"#,
        r#"{"any":[{"path":"args.no","op":"exists","value":true},{"path":"args.url","op":"url_host_in","value":["*.example.com"]}]}"#,
        r#"{"not":{"path":"args.deep.a","op":"eq","value":{"x":[1,2,{"y":null}]}}}"#,
        r#"{"path":"args.text","op":"not_contains","value":"DROP"}"#,
        r#"{"path":"args.text","op":"length_lte","value":100}"#,
    ];
    let mut items = String::new();
    let mut count = 0;
    for kind in kinds.iter().cycle() {
        let tests = kind.matches("\"op\"").count();
        if count + tests > conditions {
            break;
        }
        count += tests;
        write!(items, "{}{kind}", if items.is_empty() { "" } else { "," }).expect("writes");
    }
    format!(
        r#"{{"version":"1","default":"deny","hide":["x_*"],"tools":{{"a_*":{{}},"a":{{"require":[{items}]}}}}}}"#
    )
}

const ARGUMENTS: &str = r#"{"id":"run-0001","amount":99.95,"kind":2.50,"items":[{"n":1},{"n":2},{"n":3}],"url":"https://api.example.com/x","deep":{"a":{"x":[1,2]}},"text":"plain text"}"#;

fn call<'a>(arguments: &'a json::Value<'a>) -> Call<'a> {
    Call { tool: "a", arguments: Some(arguments), context: CONTEXT, state: ToolState::default() }
}

#[test]
fn an_allowed_call_allocates_nothing() {
    let policy = read(&document(256));
    let arguments = json::parse(ARGUMENTS.as_bytes(), 64).expect("JSON");
    let mut verdict = None;
    let heap = allocation_counter::measure(|| verdict = Some(policy.judge(&call(&arguments))));
    assert!(matches!(verdict, Some(Verdict::Allow { .. })), "{verdict:?}");
    assert_eq!(heap.count_total, 0);
}

#[test]
fn a_charged_call_allocates_its_charges_alone() {
    let policy = read(
        r#"{"version":"1","default":"allow","all_tools":{"limits":[{"counter":"c","window":1,"max":1},{"counter":"d","window":1,"max":1}]}}"#,
    );
    let arguments = json::parse(ARGUMENTS.as_bytes(), 64).expect("JSON");
    let heap = allocation_counter::measure(|| drop(policy.judge(&call(&arguments))));
    assert_eq!(heap.count_total, 1, "one list");
}

#[test]
fn compiled_presets_are_small() {
    for text in [
        include_str!("../../../../catalogue/flowforge/read-only.json"),
        include_str!("../../../../catalogue/flowforge/operator.json"),
        include_str!("../../../../catalogue/flowforge/builder.json"),
        include_str!("../../../../catalogue/flowforge/locked-down.json"),
    ] {
        let mut policy = None;
        let heap = allocation_counter::measure(|| policy = Policy::read(text.as_bytes()).ok());
        assert!(policy.is_some());
        assert!((1..=64 << 10).contains(&heap.bytes_current), "{} bytes", heap.bytes_current);
    }
}

/// How long judging takes, at best of a few.
fn took(policy: &Policy, arguments: &str) -> Duration {
    let arguments = json::parse(arguments.as_bytes(), 64).expect("JSON");
    let once = || {
        let begin = Instant::now();
        drop(policy.judge(&call(&arguments)));
        begin.elapsed()
    };
    (0..3).map(|_| once()).min().unwrap_or_default()
}

/// Arguments of a size.
type Arguments = Box<dyn Fn(usize) -> String>;

/// Arguments built to be slow: eight times as many may not cost as much as quadratic work would (64 times).
#[test]
fn hostile_arguments_cost_in_proportion() {
    let require = |condition: &str| {
        read(&format!(r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{condition}]}}}}}}"#))
    };
    let list: Vec<String> = (0..5000).map(|i| format!("\"v{i}\"")).collect();
    let long_list = format!(r#"{{"path":"args.x[*]","op":"in","value":[{}]}}"#, list.join(","));
    let xs = |n: usize| format!(r#"{{"x":"{}"}}"#, "a".repeat(n));
    let repeated = |element: &'static str| {
        move |n: usize| format!(r#"{{"x":[{}{element}]}}"#, format!("{element},").repeat(n / 8))
    };
    let cases: [(&str, String, Arguments); 7] = [
        (
            "an expression that backtracks elsewhere",
            r#"{"path":"args.x","op":"regex","value":"^(a+)+$"}"#.into(),
            Box::new(xs),
        ),
        (
            "an expression without a table",
            r#"{"path":"args.x","op":"not_regex","value":"(a|b)*a(a|b){12}c"}"#.into(),
            Box::new(xs),
        ),
        (
            "a part that almost matches",
            r#"{"path":"args.x","op":"not_contains","value":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"}"#.into(),
            Box::new(xs),
        ),
        ("a long list against many", long_list, Box::new(repeated("\"v4999\""))),
        (
            "lists of lists",
            r#"{"path":"args.x[*][*]","op":"eq","value":1}"#.into(),
            Box::new(repeated("[1,1]")),
        ),
        ("many elements", r#"{"path":"args.x[*]","op":"lt","value":5}"#.into(), Box::new(repeated("1.25"))),
        (
            "hosts",
            r#"{"path":"args.x","op":"url_host_in","value":["a.test"]}"#.into(),
            Box::new(|n| format!(r#"{{"x":"https://{}test"}}"#, "a.".repeat(n))),
        ),
    ];
    for (name, condition, arguments) in cases {
        let policy = require(&condition);
        let (small, large) = (took(&policy, &arguments(20_000)), took(&policy, &arguments(160_000)));
        // A floor, since what takes no time at all has no proportion.
        let bound = small.max(Duration::from_millis(4)) * 40;
        assert!(large < bound, "{name}: {small:?}, then {large:?}");
    }
}
