//! What judging costs: nothing on the heap beyond the verdict. How its work grows is held in `src/work/tests.rs`.

use std::fmt::Write as _;

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

/// What a refusal says is all that it costs, however much there was to look at.
#[test]
fn a_refused_call_allocates_its_refusal_alone() {
    let policy = read(
        r#"{"version":"1","default":"allow","hide":["h"],"tools":{
            "a":{"require":[{"path":"args.x[*]","op":"lt","value":5}]},
            "b":{"deny_if":[{"conditions":[{"path":"args.x[*]","op":"gt","value":5}],"on_deny":"no"}]}}}"#,
    );
    let heap = |tool: &str, n: usize| {
        let arguments = format!(r#"{{"x":[{}9]}}"#, "1,".repeat(n));
        let arguments = json::parse(arguments.as_bytes(), 64).expect("JSON");
        let call = Call { tool, ..call(&arguments) };
        let mut verdict = None;
        let heap = allocation_counter::measure(|| verdict = Some(policy.judge(&call)));
        assert!(!matches!(verdict, Some(Verdict::Allow { .. })), "{verdict:?}");
        (heap.count_total, heap.bytes_total)
    };
    for tool in ["a", "b", "h"] {
        assert_eq!(heap(tool, 10), heap(tool, 10_000), "{tool}");
        assert!(heap(tool, 10).0 <= 12, "{tool}: {:?}", heap(tool, 10));
    }
}
