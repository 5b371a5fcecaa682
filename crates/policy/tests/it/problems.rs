//! What is refused on save: every problem at once, each with its place, its code and how to mend it.

use policy::{MAX_DOCUMENT, Policy, Problem};

fn problems(document: &str) -> Vec<Problem> {
    Policy::read(document.as_bytes()).expect_err("refused")
}

/// `code pointer` of each problem.
fn codes(document: &str) -> Vec<String> {
    problems(document).iter().map(|problem| format!("{} {}", problem.code, problem.pointer)).collect()
}

/// The problems of an entry, with pointers from it on.
fn of_entry(entry: &str) -> Vec<String> {
    let found = codes(&format!(r#"{{"version":"1","default":"deny","tools":{{"a":{entry}}}}}"#));
    found.iter().map(|line| line.replace("/tools/a", "")).collect()
}

fn of_condition(condition: &str) -> Vec<String> {
    of_entry(&format!(r#"{{"require":[{condition}]}}"#))
        .iter()
        .map(|line| line.replace("/require/0", ""))
        .collect()
}

fn of_limit(fields: &str) -> Vec<String> {
    of_entry(&format!(r#"{{"limits":[{{{fields}}}]}}"#))
        .iter()
        .map(|line| line.replace("/limits/0", ""))
        .collect()
}

#[test]
fn all_problems_are_found_at_once_in_the_order_of_the_text() {
    let document = r#"{
  "version": "2",
  "defualt": "deny",
  "hide": ["ok", 7],
  "hide": [],
  "tools": {
    "a": { "action": "maybe", "deny_if": [{ "conditions": [{ "path": "arg.x", "op": "equals", "value": 1 }] }] },
    "é": { "limits": [{ "counter": "c", "window": "week", "max": -1 }] }
  }
}"#;
    let found: Vec<String> = problems(document)
        .iter()
        .map(|problem| format!("{}:{} {} {}", problem.line, problem.column, problem.code, problem.pointer))
        .collect();
    assert_eq!(
        found,
        [
            "1:1 missing_field ",
            "2:14 unknown_version /version",
            "3:3 unknown_field /defualt",
            "4:18 wrong_type /hide/1",
            "5:3 duplicate_key /hide",
            "7:22 unknown_action /tools/a/action",
            "7:70 bad_path /tools/a/deny_if/0/conditions/0/path",
            "7:85 unknown_operator /tools/a/deny_if/0/conditions/0/op",
            "8:51 unknown_window /tools/é/limits/0/window",
            "8:66 out_of_range /tools/é/limits/0/max",
        ]
    );
}

#[test]
fn every_problem_says_how_to_mend_it() {
    let document = r#"{"version":1,"default":null,"x":0,"hide":{},"tools":{"a":{"require":[{"path":"args.","op":"like","value":0},{"path":"args","op":"regex","value":"("}],"rate_limit":"x","limits":[{}],"approve_if":[{"conditions":[],"expires_in":"x"}]},"":{}}}"#;
    let found = problems(document);
    assert!(found.len() > 10, "{found:#?}");
    for problem in found {
        let message = &problem.message;
        assert!(
            [":", "add", "write", "use", "remove"].iter().any(|word| message.contains(word)),
            "{message}"
        );
        assert!(
            !message.ends_with('.') && message.starts_with(|c: char| c.is_lowercase() || c == '`'),
            "{message}"
        );
    }
}

#[test]
fn texts_that_are_not_strict_json() {
    assert_eq!(codes(""), ["syntax "]);
    assert_eq!(codes("{\"version\":\"1\","), ["syntax "]);
    assert_eq!(codes("\u{feff}{}"), ["syntax "]);
    assert_eq!(codes(r#"{"version":"1","default":"deny",}"#), ["syntax "]);
    assert_eq!(codes(r#"{"version":"1","default":"deny"} x"#), ["syntax "]);
    assert_eq!(codes(r#"{"version":"1","default":"deny","description":"\ud800"}"#), ["syntax /description"]);
    assert_eq!(codes("[]"), ["wrong_type "]);
    assert_eq!(codes("null"), ["wrong_type "]);
    let problem = &problems("{\n  \"version\": \"1\",\n  \"default\" \"deny\"\n}")[0];
    assert_eq!((problem.line, problem.column), (3, 13));
}

#[test]
fn duplicate_keys_in_any_object() {
    let document = r#"{"version":"1","default":"deny","tools":{"a":{"require":[{"path":"args.x","op":"eq","value":{"k":1,"k":2}}]},"a":{}}}"#;
    assert_eq!(codes(document), ["duplicate_key /tools/a/require/0/value/k", "duplicate_key /tools/a"]);
}

#[test]
fn size_and_depth() {
    let padded = |size: usize| {
        let document = r#"{"version":"1","default":"deny"}"#;
        format!("{document}{}", " ".repeat(size - document.len()))
    };
    assert!(Policy::read(padded(MAX_DOCUMENT).as_bytes()).is_ok());
    assert_eq!(codes(&padded(MAX_DOCUMENT + 1)), ["too_large "]);
    let nested = |n: usize| {
        format!(
            r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{{"path":"args.x","op":"eq","value":{}{}}}]}}}}}}"#,
            "[".repeat(n),
            "]".repeat(n)
        )
    };
    assert!(Policy::read(nested(27).as_bytes()).is_ok(), "32 in all");
    assert_eq!(problems(&nested(28))[0].code, "too_deep");
}

#[test]
fn the_document() {
    assert_eq!(codes("{}"), ["missing_field ", "missing_field "]);
    assert_eq!(codes(r#"{"version":"1","default":"ask"}"#), ["unknown_default /default"]);
    assert_eq!(
        codes(r#"{"version":"1","default":"deny","mode":"off","validate_arguments":1,"description":1}"#),
        ["unknown_mode /mode", "wrong_type /validate_arguments", "wrong_type /description"]
    );
    assert_eq!(codes(r#"{"version":"1","default":"deny","tools":[]}"#), ["wrong_type /tools"]);
    assert_eq!(
        codes(r#"{"version":"1","default":"deny","tools":{"a":[],"":{}},"hide":[""]}"#),
        ["wrong_type /tools/a", "bad_name /tools/", "bad_name /hide/0"]
    );
    let long = "x".repeat(257);
    assert_eq!(
        codes(&format!(r#"{{"version":"1","default":"deny","hide":["{long}"]}}"#)),
        ["bad_name /hide/0"]
    );
    assert_eq!(
        codes(r#"{"version":"1","default":"deny","all_tools":{"action":"deny","reason":"x"}}"#),
        ["unknown_field /all_tools/action", "unknown_field /all_tools/reason"]
    );
}

#[test]
fn an_entry() {
    assert_eq!(of_entry(r#"{"requires":[]}"#), ["unknown_field /requires"]);
    assert_eq!(of_entry(r#"{"action":"log"}"#), ["unknown_action /action"]);
    assert_eq!(of_entry(r#"{"reason":"x"}"#), ["misplaced_field /reason"]);
    assert_eq!(
        of_entry(r#"{"require":{},"deny_if":1,"approve_if":"x","limits":true}"#),
        ["wrong_type /require", "wrong_type /deny_if", "wrong_type /approve_if", "wrong_type /limits"]
    );
    assert_eq!(of_entry(r#"{"deny_if":[{}]}"#), ["missing_field /deny_if/0"]);
    assert_eq!(
        of_entry(r#"{"deny_if":[{"conditions":[],"message":"x"}]}"#),
        ["unknown_field /deny_if/0/message"]
    );
    assert_eq!(
        of_entry(r#"{"approve_if":[{"conditions":[],"on_deny":"x"}]}"#),
        ["unknown_field /approve_if/0/on_deny"]
    );
    assert_eq!(of_entry(r#"{"require":[{"on_deny":"x"}]}"#), ["missing_field /require/0"]);
    assert_eq!(
        of_entry(r#"{"approve_if":[{"conditions":[],"expires_in":"1 hour"}]}"#),
        ["bad_duration /approve_if/0/expires_in"]
    );
    for rate in [r#""10""#, r#""10/week""#, r#""ten/day""#, r#""10/ day""#, r#""/day""#, r#""1e999/day""#] {
        assert_eq!(of_entry(&format!(r#"{{"rate_limit":{rate}}}"#)), ["bad_rate /rate_limit"], "{rate}");
    }
    assert_eq!(of_entry(r#"{"rate_limit":"-1/day"}"#), ["out_of_range /rate_limit"]);
    assert_eq!(of_entry(r#"{"rate_limit":10}"#), ["wrong_type /rate_limit"]);
    assert_eq!(
        of_entry(r#"{"rate_limit":{"max":1,"scope":"grant"}}"#),
        ["missing_field /rate_limit", "unknown_field /rate_limit/scope"]
    );
}

#[test]
fn conditions() {
    assert_eq!(of_condition("1"), ["wrong_type "]);
    assert_eq!(of_condition("{}"), ["missing_field ", "missing_field ", "missing_field "]);
    assert_eq!(of_condition(r#"{"path":1,"op":1,"value":1}"#), ["wrong_type /path", "wrong_type /op"]);
    assert_eq!(of_condition(r#"{"path":"args.x","op":"eq","value":1,"extra":1}"#), ["unknown_field /extra"]);
    assert_eq!(
        of_condition(r#"{"path":"x","op":"=","value":1}"#),
        ["bad_path /path", "unknown_operator /op"]
    );
    for (op, value, code) in [
        ("in", "1", "wrong_type /value"),
        ("not_in", "{}", "wrong_type /value"),
        ("lt", "\"1\"", "wrong_type /value"),
        ("gte", "null", "wrong_type /value"),
        ("regex", "1", "wrong_type /value"),
        ("regex", "\"(\"", "bad_regex /value"),
        ("not_regex", "\"(?<=x)\"", "bad_regex /value"),
        ("regex", "\"\\\\w{500}\"", "bad_regex /value"),
        ("starts_with", "1", "wrong_type /value"),
        ("ends_with", "[]", "wrong_type /value"),
        ("length_lte", "\"1\"", "wrong_type /value"),
        ("length_lte", "-1", "out_of_range /value"),
        ("length_gte", "1.5", "out_of_range /value"),
        ("url_host_in", "\"a.test\"", "wrong_type /value"),
        ("url_host_in", "[\"https://a.test\"]", "bad_host /value/0"),
        ("url_host_in", "[1]", "wrong_type /value/0"),
        ("exists", "1", "wrong_type /value"),
        ("exists", "null", "wrong_type /value"),
        ("lt", "1e999", "out_of_range /value"),
    ] {
        assert_eq!(
            of_condition(&format!(r#"{{"path":"args.x","op":"{op}","value":{value}}}"#)),
            [code],
            "{op} {value}"
        );
    }
    assert_eq!(problems(r#"{"version":"1","default":"deny","all_tools":{"require":[{"path":"args","op":"regex","value":"("},{"path":"args","op":"regex","value":"("}]}}"#).len(), 2, "each place is named");
}

#[test]
fn groups() {
    assert_eq!(of_condition(r#"{"all":[]}"#), ["empty_group /all"]);
    assert_eq!(of_condition(r#"{"any":[]}"#), ["empty_group /any"]);
    assert_eq!(of_condition(r#"{"not":[]}"#), ["wrong_type /not"]);
    assert_eq!(of_condition(r#"{"all":{}}"#), ["wrong_type /all"]);
    assert_eq!(of_condition(r#"{"all":[1],"any":[]}"#), ["wrong_type /all/0", "unknown_field /any"]);
    assert_eq!(
        of_condition(r#"{"not":{"path":"args.x","op":"exists","value":true},"path":"args.x"}"#),
        ["unknown_field /path"]
    );
    let nested = |n: usize| {
        format!(
            r#"{}{{"path":"args.x","op":"exists","value":true}}{}"#,
            r#"{"not":"#.repeat(n),
            "}".repeat(n)
        )
    };
    let document = |condition: &str| {
        format!(r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{condition}]}}}}}}"#)
    };
    assert!(Policy::read(document(&nested(8)).as_bytes()).is_ok());
    assert_eq!(problems(&document(&nested(9)))[0].code, "too_deep");
    let many = |n: usize| document(&vec![r#"{"path":"args.x","op":"exists","value":true}"#; n].join(","));
    assert!(Policy::read(many(256).as_bytes()).is_ok());
    assert_eq!(codes(&many(300)), ["too_many_conditions /tools/a/require/256"]);
    let exists = |n: usize| vec![r#"{"path":"args.x","op":"exists","value":true}"#; n].join(",");
    let spread = |n: usize| {
        format!(
            r#"{{"version":"1","default":"deny","all_tools":{{"deny_if":[{{"conditions":[{}]}}]}},"tools":{{"a":{{"require":[{{"any":[{}]}}]}}}}}}"#,
            exists(200),
            exists(n)
        )
    };
    assert!(Policy::read(spread(56).as_bytes()).is_ok());
    assert_eq!(
        codes(&spread(57)),
        ["too_many_conditions /tools/a/require/0/any/56"],
        "counted in the whole document"
    );
    let mixed = |n: usize| {
        let kinds = [(r#"{"any":["#, "]}"), (r#"{"all":["#, "]}"), (r#"{"not":"#, "}")];
        let inner = r#"{"path":"args.x","op":"exists","value":true}"#.to_owned();
        (0..n).fold(inner, |inner, i| format!("{}{inner}{}", kinds[i % 3].0, kinds[i % 3].1))
    };
    assert!(Policy::read(document(&mixed(8)).as_bytes()).is_ok());
    assert_eq!(problems(&document(&mixed(9)))[0].code, "too_deep");
}

#[test]
fn limits() {
    assert_eq!(of_limit(""), ["missing_field ", "missing_field ", "missing_field "]);
    let base = r#""counter":"c","window":"minute","max":1"#;
    let with = |field: &str| of_limit(&format!("{base},{field}"));
    assert_eq!(with(r#""limit":1"#), ["unknown_field /limit"]);
    assert_eq!(with(r#""scope":"user""#), ["unknown_scope /scope"]);
    assert_eq!(with(r#""align":"fixed""#), ["unknown_align /align"]);
    assert_eq!(with(r#""key":"args.to[*]""#), ["bad_path /key"]);
    assert_eq!(with(r#""key":"to""#), ["bad_path /key"]);
    assert_eq!(with(r#""increment":-1"#), ["out_of_range /increment"]);
    assert_eq!(with(r#""increment":9000000000.1"#), ["out_of_range /increment"]);
    assert_eq!(with(r#""increment_from":"args.a[*]""#), ["bad_path /increment_from"]);
    assert_eq!(with(r#""increment_from":"grant.label""#), ["bad_path /increment_from"]);
    assert_eq!(with(r#""increment_from":"args""#), ["bad_path /increment_from"]);
    assert_eq!(with(r#""increment":1,"increment_from":"args.a""#), ["conflicting_fields /increment"]);
    assert_eq!(
        with(r#""refund_on_error":"yes","on_deny":1"#),
        ["wrong_type /refund_on_error", "wrong_type /on_deny"]
    );
    for window in ["0", "2678401", "1.5", "-1", "1e30", "\"week\"", "\"Minute\""] {
        assert_eq!(
            of_limit(&format!(r#""counter":"c","window":{window},"max":1"#)),
            ["unknown_window /window"],
            "{window}"
        );
    }
    for max in ["-1", "-0.0000001", "9000000000.0000001", "1e10", "1e300"] {
        assert_eq!(
            of_limit(&format!(r#""counter":"c","window":1,"max":{max}"#)),
            ["out_of_range /max"],
            "{max}"
        );
    }
    for counter in ["", "a b", "é", "a/b", &"x".repeat(65)] {
        assert_eq!(
            of_limit(&format!(r#""counter":"{counter}","window":1,"max":1"#)),
            ["bad_counter /counter"],
            "{counter}"
        );
    }
}

#[test]
fn an_entry_has_a_bounded_number_of_limits() {
    let limits = |n: usize| {
        let limits: Vec<String> =
            (0..n).map(|i| format!(r#"{{"counter":"c{i}","window":1,"max":1}}"#)).collect();
        format!(r#"{{"version":"1","default":"deny","tools":{{"a":{{"limits":[{}]}}}}}}"#, limits.join(","))
    };
    assert!(Policy::read(limits(64).as_bytes()).is_ok());
    assert_eq!(codes(&limits(70)), ["too_many_limits /tools/a/limits/64"]);
}

#[test]
fn counters_are_unique_in_their_entry() {
    let limit = |counter: &str| format!(r#"{{"counter":"{counter}","window":1,"max":1}}"#);
    assert_eq!(
        of_entry(&format!(r#"{{"limits":[{},{},{}]}}"#, limit("c"), limit("d"), limit("c"))),
        ["duplicate_counter /limits/2"]
    );
    assert_eq!(
        of_entry(&format!(r#"{{"rate_limit":"1/day","limits":[{}]}}"#, limit("a_rate"))),
        ["duplicate_counter /rate_limit"]
    );
    let other_entry = format!(
        r#"{{"version":"1","default":"deny","tools":{{"a":{{"limits":[{0}]}},"b":{{"limits":[{0}]}}}}}}"#,
        limit("c")
    );
    assert!(Policy::read(other_entry.as_bytes()).is_ok());
}

/// Documents with as many problems as fit: the answer stays small, and what is written to find it.
#[test]
fn hostile_documents_are_answered_in_few_words() {
    let fill = |part: &str, rest: usize| part.repeat((MAX_DOCUMENT - rest) / part.len());
    let long = "k".repeat(100_000);
    for document in [
        format!("{{{}\"x\":0}}", fill("\"x\":0,", 10)),
        format!(r#"{{"{long}":0,"hide":[{}0]}}"#, fill("0,", 100_100)),
        format!(r#"{{"hide":[{}0]}}"#, fill("0,\n", 100)),
        format!(r#"{{"tools":{{"a":{{"limits":[{}0]}}}}}}"#, fill("{},", 100)),
        format!(r#"{{"tools":{{"a":{{"deny_if":[{}0]}}}}}}"#, fill(r#"{"conditions":[]},"#, 100)),
        format!(r#"{{"all_tools":{{"require":[{}0]}}}}"#, fill(r#"{"not":0},"#, 100)),
        format!(r#"{{"x":{{"{long}":[{}0]}}}}"#, fill("1e999,", 100_100)),
    ] {
        let mut found = Vec::new();
        let heap = allocation_counter::measure(|| found = problems(&document));
        let size: usize = found.iter().map(|problem| problem.pointer.len() + problem.message.len()).sum();
        assert!(size < 4 << 20, "{size}");
        let most = 512 * MAX_DOCUMENT as u64;
        assert!(heap.bytes_total < most, "{} bytes, to answer {}", heap.bytes_total, &document[..40]);
    }
}
