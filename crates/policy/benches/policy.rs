//! Judging and compiling, against their bounds: a call with 20 conditions in 2 microseconds and with 256 in 20, a document of
//! 256 KiB compiled in 10 milliseconds.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use policy::{Call, Context, MAX_DOCUMENT, Policy, ToolState};

const CONDITIONS: [&str; 5] = [
    r#"{"path":"args.run_id","op":"regex","value":"^[A-Za-z0-9_-]{1,64}$"}"#,
    r#"{"path":"args.amount","op":"lte","value":10000.50}"#,
    r#"{"path":"args.kind","op":"in","value":["retry","replay","cancel"]}"#,
    r#"{"path":"args.note","op":"length_lte","value":200}"#,
    r#"{"path":"args.env","op":"neq","value":"prod"}"#,
];
const ARGUMENTS: &str =
    r#"{"run_id":"run-0001","amount":12.34,"kind":"replay","note":"after the fix","env":"dev"}"#;

fn document(conditions: usize) -> String {
    let items: Vec<&str> = CONDITIONS.iter().copied().cycle().take(conditions).collect();
    format!(r#"{{"version":"1","default":"deny","tools":{{"retry":{{"require":[{}]}}}}}}"#, items.join(","))
}

/// As large as a document may be: entries with limits, and as many conditions as are allowed.
fn largest() -> String {
    let mut entries = vec![format!(
        r#""checked":{{"require":[{}]}}"#,
        CONDITIONS.iter().copied().cycle().take(256).collect::<Vec<_>>().join(",")
    )];
    let mut size = entries[0].len() + 100;
    for i in 0.. {
        let entry = format!(
            r#""tool_{i}":{{"limits":[{{"counter":"calls_{i}","window":"minute","max":10,"scope":"grant","on_deny":"Slow down."}}]}}"#
        );
        size += entry.len() + 1;
        if size > MAX_DOCUMENT {
            break;
        }
        entries.push(entry);
    }
    format!(r#"{{"version":"1","default":"deny","tools":{{{}}}}}"#, entries.join(","))
}

fn judge(criterion: &mut Criterion) {
    let arguments = json::parse(ARGUMENTS.as_bytes(), 64).expect("JSON");
    let context = Context { grant_label: Some("ci"), ..Context::default() };
    let call = Call { tool: "retry", arguments: Some(&arguments), context, state: ToolState::default() };
    for conditions in [20, 256] {
        let policy = Policy::read(document(conditions).as_bytes()).expect("a document");
        criterion.bench_function(&format!("judge {conditions} conditions"), |bencher| {
            bencher.iter(|| policy.judge(black_box(&call)));
        });
    }
}

fn compile(criterion: &mut Criterion) {
    let largest = largest();
    criterion.bench_function(&format!("compile {} KiB", largest.len() >> 10), |bencher| {
        bencher.iter(|| Policy::read(black_box(largest.as_bytes())).expect("a document"));
    });
    let operator = include_str!("../../../catalogue/flowforge/operator.json");
    criterion.bench_function("compile the operator preset", |bencher| {
        bencher.iter(|| Policy::read(black_box(operator.as_bytes())).expect("a document"));
    });
}

criterion_group!(benches, judge, compile);
criterion_main!(benches);
