//! How the work of judging grows: in proportion to each of arguments, policy and expression, whoever built them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::DONE;
use crate::{ArgumentSchema, Call, Context, Policy, ToolState, Verdict};

#[path = "../../tests/it/generate.rs"]
#[expect(dead_code, reason = "what the tests of documents need is not needed here")]
mod generate;

fn read(document: &str) -> Policy {
    Policy::read(document.as_bytes()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// A document whose tool `run` has this entry.
fn entry(entry: &str) -> String {
    format!(r#"{{"version":"1","default":"deny","tools":{{"run":{entry}}}}}"#)
}

fn judge(policy: &Policy, arguments: &str, schema: Option<&ArgumentSchema>) -> Verdict {
    let arguments = json::parse(arguments.as_bytes(), 64).expect("JSON");
    let state = ToolState { changed: false, schema };
    policy.judge(&Call { tool: "run", arguments: Some(&arguments), context: Context::default(), state })
}

/// The steps that judging takes.
fn work(policy: &Policy, arguments: &str, schema: Option<&ArgumentSchema>) -> usize {
    DONE.set(0);
    drop(judge(policy, arguments, schema));
    DONE.get()
}

/// Twice as much may take twice the steps, with a little for searching by halves; never what quadratic work would, four
/// times. The first size must already be work, or nothing is held.
fn assert_linear(name: &str, first: usize, at_least: usize, work: impl Fn(usize) -> usize) {
    let steps: Vec<usize> = [1, 2, 4, 8].iter().map(|times| work(first * times)).collect();
    assert!(steps[0] >= at_least, "{name}: {steps:?}");
    for pair in steps.windows(2) {
        assert!(pair[1] <= pair[0] * 23 / 10 + 200, "{name}: {steps:?}");
    }
}

/// Arguments of a size.
type Arguments = Box<dyn Fn(usize) -> String>;

/// Arguments built to be slow for a condition, asked where it holds and where it does not.
#[test]
fn in_proportion_to_the_arguments() {
    let text = |n: usize| format!(r#"{{"x":"{}"}}"#, "a".repeat(n));
    let list = |element: &'static str| -> Arguments {
        Box::new(move |n| format!(r#"{{"x":[{}{element}]}}"#, format!("{element},").repeat(n)))
    };
    let many: Vec<String> = (0..2000).map(|i| format!("\"v{i}\"")).collect();
    let among_many = format!(r#"{{"path":"args.x[*]","op":"in","value":[{}]}}"#, many.join(","));
    let deep = r#"{"path":"args.x[*].a","op":"lt","value":5}"#;
    let groups = (0..4).fold(deep.to_owned(), |inner, _| format!(r#"{{"not":{{"any":[{inner},{deep}]}}}}"#));
    let cases: [(&str, String, Arguments); 12] = [
        ("an expression that backtracks elsewhere", test("regex", r#""^(a+)+$""#), Box::new(text)),
        ("an expression without a table", test("not_regex", r#""(a|b)*a(a|b){12}c""#), Box::new(text)),
        ("a part that almost matches", test("not_contains", r#""aaaaaaaaaaaaaaab""#), Box::new(text)),
        ("characters to count", test("length_lte", "5"), Box::new(text)),
        (
            "a host",
            test("url_host_in", r#"["a.test"]"#),
            Box::new(|n| format!(r#"{{"x":"https://{}"}}"#, "a.".repeat(n))),
        ),
        ("a long list against many", among_many, list("\"v1999\"")),
        ("a value to find among many", test("contains", "[2]"), list("[1]")),
        ("a deep value to compare", test("neq", "[1]"), list("[[[]]]")),
        ("lists of lists", test("eq", "1").replace("args.x", "args.x[*][*]"), list("[1,1]")),
        ("groups in groups", groups, list(r#"{"a":1}"#)),
        ("many steps", test("exists", "true").replace("args.x", "args.x[*].a.b"), list(r#"{"a":{"b":1}}"#)),
        (
            "names among many",
            test("eq", "1").replace("args.x", "args.k7"),
            Box::new(|n| {
                let members: Vec<String> = (0..n).map(|i| format!("\"k{i}\":{i}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ),
    ];
    for (name, condition, arguments) in cases {
        let at_least = if name == "names among many" { 1 } else { 500 };
        for document in [
            entry(&format!(r#"{{"require":[{condition}]}}"#)),
            entry(&format!(r#"{{"deny_if":[{{"conditions":[{condition}]}}]}}"#)),
        ] {
            let policy = read(&document);
            let at_least =
                if document.contains("deny_if") || document.contains("not_") { 1 } else { at_least };
            assert_linear(name, 500, at_least, |n| work(&policy, &arguments(n), None));
        }
    }
}

fn test(op: &str, value: &str) -> String {
    format!(r#"{{"path":"args.x","op":"{op}","value":{value}}}"#)
}

#[test]
fn in_proportion_to_the_policy() {
    let names = |list: &str, name: &str, n: usize| {
        let names: Vec<String> = (0..n).map(|i| name.replace('#', &i.to_string())).collect();
        format!(r#"{{"version":"1","default":"allow","{list}"#) + &names.join(",")
    };
    let hide = |n: usize| names(r#"hide":["#, r#""*r*u*n*#""#, n) + "]}";
    assert_linear("globs that hide", 100, 100, |n| work(&read(&hide(n)), "{}", None));
    let tools = |n: usize| names(r#"tools":{"#, r#""*r*u*#":{}"#, n) + "}}";
    assert_linear("globs of entries", 100, 100, |n| work(&read(&tools(n)), "{}", None));
    let exact = |n: usize| names(r#"tools":{"#, r#""run#":{}"#, n) + "}}";
    assert!(work(&read(&exact(1000)), "{}", None) < 20, "exact names are found by halves");

    let require =
        |condition: &str, n: usize| entry(&format!(r#"{{"require":[{}]}}"#, vec![condition; n].join(",")));
    let flat = test("eq", "1");
    assert_linear("conditions", 32, 32, |n| work(&read(&require(&flat, n)), r#"{"x":1}"#, None));
    // All of them hold, so that all are named in the end.
    let denied =
        |n: usize| entry(&format!(r#"{{"deny_if":[{{"conditions":[{}]}}]}}"#, vec![&*flat; n].join(",")));
    assert_linear("conditions that deny", 32, 32, |n| work(&read(&denied(n)), r#"{"x":1}"#, None));
    // What decided is looked for again at each level of groups: eight times at most.
    let nested = |n: usize| {
        let tests = vec![test("eq", "2"); n].join(",");
        let groups = (0..8).fold(tests, |inner, _| format!(r#"{{"any":[{inner}]}}"#));
        entry(&format!(r#"{{"require":[{groups}]}}"#))
    };
    assert_linear("groups that explain", 32, 32 * 8, |n| work(&read(&nested(n)), r#"{"x":1}"#, None));
    let list = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().join(",");
    let one_of =
        |n: usize| work(&read(&require(&test("in", &format!("[{}]", list(n))), 1)), r#"{"x":3}"#, None);
    assert!(one_of(20_000) < 60, "a list is searched by halves");
}

/// A schema and arguments that make the validator walk far.
#[test]
fn in_proportion_to_what_a_schema_asks() {
    let schema = json!({"properties": {"x": {"items": {"$ref": "#/$defs/a"}}}, "$defs": {"a": {"anyOf": [{"type": "string"}, {"maximum": 5}]}}});
    let schema = ArgumentSchema::compile(&schema).expect("compiles");
    let policy = read(&entry(r#"{"validate_arguments":true}"#));
    let arguments = |n: usize| format!(r#"{{"x":[{}1]}}"#, "1,".repeat(n));
    assert_linear("a schema", 500, 500, |n| work(&policy, &arguments(n), Some(&schema)));
    // Exponential work is refused when its budget is spent, which grows with the arguments.
    let recursive =
        json!({"allOf": [{"properties": {"x": {"$ref": "#"}}}, {"properties": {"x": {"$ref": "#"}}}]});
    let recursive = ArgumentSchema::compile(&recursive).expect("compiles");
    let nested = |n: usize| format!("{}1{}", "{\"x\":".repeat(n), "}".repeat(n));
    for levels in [20, 40, 60] {
        assert!(matches!(judge(&policy, &nested(levels), Some(&recursive)), Verdict::Deny(_)), "{levels}");
        assert!(work(&policy, &nested(levels), Some(&recursive)) < 110_000, "{levels}");
    }
}

/// The scratch space of an expression is its own, however large it is and however long the text.
#[test]
fn expressions_need_no_more_space_for_longer_texts() {
    for pattern in ["(a|b)*a(a|b){12}c", r"\\b\\w+$", "(a?){60}a{60}", "(.*)(.*)(.*)x"] {
        let policy =
            read(&entry(&format!(r#"{{"require":[{}]}}"#, test("not_regex", &format!("\"{pattern}\"")))));
        let space = |n: usize| {
            let arguments = format!(r#"{{"x":"{}"}}"#, "a b".repeat(n));
            let arguments = json::parse(arguments.as_bytes(), 64).expect("JSON");
            let state = ToolState::default();
            let call = Call { tool: "run", arguments: Some(&arguments), context: Context::default(), state };
            allocation_counter::measure(|| drop(policy.judge(&call))).bytes_max
        };
        for n in [100, 1000, 10_000] {
            assert!(space(n) < 512 << 10, "{pattern}: {} bytes", space(n));
        }
        assert!(space(10_000) < 1 << 10, "{pattern}: the second time it is there: {}", space(10_000));
    }
}

/// An expression that is too large for a table fills the scratch space that it may have, which makes it fast, and no more.
#[test]
fn scratch_space_is_used_up_to_its_bound() {
    let policy = read(&entry(&format!(r#"{{"require":[{}]}}"#, test("not_regex", r#""(a|b)*a(a|b){12}c""#))));
    // Bits of a sequence that repeats late, so that a new state is met at nearly each letter.
    let letters = (0..60_000_u32)
        .map(|i| if i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 31 == 0 { 'a' } else { 'b' });
    let arguments = format!(r#"{{"x":"{}"}}"#, letters.collect::<String>());
    let arguments = json::parse(arguments.as_bytes(), 64).expect("JSON");
    let call = Call {
        tool: "run",
        arguments: Some(&arguments),
        context: Context::default(),
        state: ToolState::default(),
    };
    let space = allocation_counter::measure(|| drop(policy.judge(&call))).bytes_max;
    assert!((128 << 10..512 << 10).contains(&space), "{space} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_condition_and_the_values(document in generate::document(), condition in generate::condition(), value in generate::value()) {
        let mut document = document;
        document["all_tools"]["require"] = json!([condition]);
        let policy = read(&document.to_string());
        let arguments = |n: usize| {
            let list: Value = vec![value.clone(); n].into();
            json!({"a": list, "b": list, "n": 1}).to_string()
        };
        assert_linear("random", 100, 0, |n| work(&policy, &arguments(n), None));
    }
}
