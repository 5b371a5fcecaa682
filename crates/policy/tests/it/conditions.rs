//! Operators and groups: what holds, and what a missing value or one of the wrong type means in each place.

use super::case::judge_entry;

/// Whether a condition held, asked in `require` (allowed) or in `deny_if` (denied).
fn holds(place: &str, condition: &str, arguments: &str) -> bool {
    match place {
        "require" => judge_entry(&format!(r#"{{"require":[{condition}]}}"#), arguments) == "allow",
        _ => judge_entry(&format!(r#"{{"{place}":[{{"conditions":[{condition}]}}]}}"#), arguments) != "allow",
    }
}

fn test(op: &str, value: &str) -> String {
    format!(r#"{{"path":"args.x","op":"{op}","value":{value}}}"#)
}

fn with(x: &str) -> String {
    format!(r#"{{"x":{x}}}"#)
}

const PLACES: [&str; 3] = ["require", "deny_if", "approve_if"];

#[test]
fn values_of_the_right_type_compare_the_same_in_every_place() {
    let table: &[(&str, &str, &[&str], &[&str])] = &[
        (
            "eq",
            "1",
            &["1", "1.0", "10e-1", "0.1E+1"],
            &["2", "\"1\"", "true", "[1]", "{}", "1.0000000000000000000000001"],
        ),
        ("eq", "true", &["true"], &["false", "\"true\"", "1"]),
        ("eq", r#""é""#, &[r#""é""#, r#""\u00e9""#], &[r#""É""#, "\"e\u{301}\"", r#"" é""#]),
        (
            "eq",
            r#"{"a":[1,{"b":null}]}"#,
            &[r#"{"a":[1.0,{"b":null}]}"#],
            &[r#"{"a":[1,{}]}"#, r#"{"a":[{"b":null},1]}"#],
        ),
        ("eq", "[1,2]", &["[1,2.0]"], &["[2,1]", "[1]", "[1,2,3]"]),
        ("in", r#"["a",3,[1],null]"#, &[r#""a""#, "3.0", "[1]"], &[r#""b""#, r#""3""#, "[]", "1"]),
        ("in", "[]", &[], &["1", "\"\""]),
        (
            "lt",
            "0.3",
            &["0.29999999999999999999", "-1", "0"],
            &["0.3", "0.30", "0.30000000000000000001", "1"],
        ),
        ("lte", "0.3", &["0.3", "3e-1", "-5"], &["0.30000000000000000001"]),
        (
            "gt",
            "9007199254740992",
            &["9007199254740993", "1e300"],
            &["9007199254740992", "9007199254740991.5"],
        ),
        ("gte", "-2", &["-2", "-2.0", "0", "-1.9999"], &["-2.0000001", "-3"]),
        ("regex", r#""b+""#, &[r#""abc""#, r#""b""#], &[r#""ac""#, r#""""#, r#""B""#]),
        ("regex", r#""^[a-z]{2}$""#, &[r#""ab""#], &[r#""abc""#, r#""ab\n""#, r#""ab\ncd""#]),
        ("regex", r#""""#, &[r#""""#, r#""x""#], &[]),
        (
            "contains",
            r#""DROP""#,
            &[r#""x; DROP t""#, r#"["DROP"]"#],
            &[r#""drop""#, r#"["DROP "]"#, "[[\"DROP\"]]"],
        ),
        ("contains", "2", &["[1,2.0]"], &["[1]", r#""2""#, "[\"2\"]"]),
        ("contains", "null", &["[null]"], &["[1]"]),
        ("starts_with", r#""ab""#, &[r#""abc""#, r#""ab""#], &[r#""a""#, r#""xab""#, r#""AB""#]),
        ("ends_with", r#""bc""#, &[r#""abc""#, r#""bc""#], &[r#""c""#, r#""bcd""#]),
        (
            "length_lte",
            "2",
            &[r#""é€""#, "[1,2]", r#"{"a":1}"#, r#""""#, "[]"],
            &[r#""abc""#, "[1,2,3]", r#"{"a":1,"b":2,"c":3}"#],
        ),
        ("length_gte", "2", &[r#""ab""#, "[1,2]", r#"{"a":1,"b":2}"#], &[r#""é""#, "[1]", "{}"]),
        ("length_lte", "1e30", &[r#""abc""#], &[]),
        (
            "url_host_in",
            r#"["a.test","*.b.test"]"#,
            &[r#""https://a.test/x""#, r#""http://x.y.b.test""#],
            &[r#""https://b.test""#, r#""https://aa.test""#],
        ),
        ("exists", "true", &["0", "false", r#""""#, "[]", "{}"], &[]),
        ("exists", "false", &[], &["0", "false", r#""""#]),
    ];
    for (op, value, yes, no) in table {
        let negated = match *op {
            "eq" => Some("neq"),
            "in" => Some("not_in"),
            "regex" => Some("not_regex"),
            "contains" => Some("not_contains"),
            _ => None,
        };
        for (values, expected) in [(yes, true), (no, false)] {
            for x in *values {
                for place in PLACES {
                    assert_eq!(
                        holds(place, &test(op, value), &with(x)),
                        expected,
                        "{place} {op} {value} {x}"
                    );
                    if let Some(negated) = negated {
                        assert_eq!(
                            holds(place, &test(negated, value), &with(x)),
                            !expected,
                            "{place} {negated} {value} {x}"
                        );
                    }
                }
            }
        }
    }
}

const POSITIVE: [(&str, &str); 13] = [
    ("eq", "\"v\""),
    ("in", "[\"v\"]"),
    ("lt", "1"),
    ("lte", "1"),
    ("gt", "1"),
    ("gte", "1"),
    ("regex", "\"v\""),
    ("contains", "\"v\""),
    ("starts_with", "\"v\""),
    ("ends_with", "\"v\""),
    ("length_lte", "1"),
    ("length_gte", "1"),
    ("url_host_in", "[\"v.test\"]"),
];
const NEGATIVE: [(&str, &str); 4] =
    [("neq", "\"v\""), ("not_in", "[\"v\"]"), ("not_regex", "\"v\""), ("not_contains", "\"v\"")];

#[test]
fn a_missing_value() {
    for arguments in ["", "{}", r#"{"x":null}"#, r#"{"y":1}"#] {
        for (op, value) in POSITIVE {
            assert!(!holds("require", &test(op, value), arguments), "require {op} {arguments}");
            assert!(!holds("deny_if", &test(op, value), arguments), "deny_if {op} {arguments}");
            assert!(!holds("approve_if", &test(op, value), arguments), "approve_if {op} {arguments}");
        }
        for (op, value) in NEGATIVE {
            assert!(!holds("require", &test(op, value), arguments), "require {op} {arguments}");
            assert!(holds("deny_if", &test(op, value), arguments), "deny_if {op} {arguments}");
            assert!(holds("approve_if", &test(op, value), arguments), "approve_if {op} {arguments}");
        }
        for place in PLACES {
            assert!(!holds(place, &test("exists", "true"), arguments), "{place} {arguments}");
            assert!(holds(place, &test("exists", "false"), arguments), "{place} {arguments}");
        }
    }
}

/// A value that no operator but `eq`, `in` and `contains` takes, and a step that leads nowhere.
#[test]
fn a_value_of_the_wrong_type() {
    let direct = |op: &str, value: &str| (test(op, value), r#"{"x":true}"#);
    let step = |op: &str, value: &str| (test(op, value).replace("args.x", "args.x.y"), r#"{"x":"text"}"#);
    let compares_any_type = ["eq", "in", "contains"];
    for (op, value) in POSITIVE {
        for (condition, arguments) in [direct(op, value), step(op, value)] {
            assert!(!holds("require", &condition, arguments), "require {condition}");
            for place in ["deny_if", "approve_if"] {
                assert_eq!(
                    holds(place, &condition, arguments),
                    !compares_any_type.contains(&op),
                    "{place} {condition}"
                );
            }
        }
    }
    for (op, value) in NEGATIVE {
        let (condition, arguments) = direct(op, value);
        assert_eq!(
            holds("require", &condition, arguments),
            op != "not_regex",
            "any type compares: {condition}"
        );
        assert!(
            holds("deny_if", &condition, arguments) && holds("approve_if", &condition, arguments),
            "{condition}"
        );
        // Where a step can't be taken there is nothing to compare.
        let (condition, arguments) = step(op, value);
        assert!(!holds("require", &condition, arguments), "{condition}");
        assert!(
            holds("deny_if", &condition, arguments) && holds("approve_if", &condition, arguments),
            "{condition}"
        );
    }
    for wanted in ["true", "false"] {
        let (condition, arguments) = step("exists", wanted);
        assert!(
            !holds("require", &condition, arguments) && holds("deny_if", &condition, arguments),
            "{condition}"
        );
    }
}

#[test]
fn numbers_of_texts_and_lengths_of_numbers_are_wrong_types() {
    for (op, value, x) in [
        ("gt", "1", r#""5""#),
        ("lt", "1", "[0]"),
        ("regex", r#""1""#, "1"),
        ("starts_with", r#""a""#, r#"["a"]"#),
        ("length_lte", "5", "5"),
        ("length_gte", "1", "true"),
        ("url_host_in", r#"["a.test"]"#, r#""a.test""#),
        ("url_host_in", r#"["a.test"]"#, r#""https://u@a.test/""#),
        ("url_host_in", r#"["a.test"]"#, r#"["https://a.test/"]"#),
    ] {
        let condition = test(op, value);
        assert!(!holds("require", &condition, &with(x)), "{condition} {x}");
        assert!(holds("deny_if", &condition, &with(x)), "{condition} {x}");
    }
}

#[test]
fn every_element_in_require_and_one_in_deny_if() {
    let at_most_5 = r#"{"path":"args.x[*]","op":"lte","value":5}"#;
    for (x, require, deny) in [
        ("[1,5]", true, true),
        ("[1,9]", false, true),
        ("[9,9]", false, false),
        ("[]", false, false),
        ("null", false, false),
        ("[1,null]", false, true),
        ("[9,null]", false, false),
        ("[9,\"x\"]", false, true),
        ("{\"a\":1}", false, true),
    ] {
        assert_eq!(holds("require", at_most_5, &with(x)), require, "require {x}");
        assert_eq!(holds("deny_if", at_most_5, &with(x)), deny, "deny_if {x}");
    }
    let none_is_prod = r#"{"path":"args.x[*]","op":"neq","value":"prod"}"#;
    for (x, require, deny) in [
        ("[\"a\"]", true, true),
        ("[\"prod\"]", false, false),
        ("[]", false, true),
        ("[\"prod\",1]", false, true),
    ] {
        assert_eq!(holds("require", none_is_prod, &with(x)), require, "require {x}");
        assert_eq!(holds("deny_if", none_is_prod, &with(x)), deny, "deny_if {x}");
    }
    // An empty inner list is a missing value among the others.
    let nested = r#"{"path":"args.x[*][*]","op":"eq","value":1}"#;
    assert!(holds("require", nested, &with("[[1],[1,1]]")));
    assert!(!holds("require", nested, &with("[[1],[]]")));
    assert!(holds("deny_if", nested, &with("[[],[2,1]]")));
}

#[test]
fn groups() {
    let x = |n: u8| format!(r#"{{"path":"args.x","op":"eq","value":{n}}}"#);
    let y = r#"{"path":"args.y","op":"eq","value":1}"#;
    for (condition, arguments, expected) in [
        (format!(r#"{{"all":[{},{y}]}}"#, x(1)), r#"{"x":1,"y":1}"#, true),
        (format!(r#"{{"all":[{},{y}]}}"#, x(1)), r#"{"x":1,"y":2}"#, false),
        (format!(r#"{{"any":[{},{y}]}}"#, x(1)), r#"{"x":1,"y":2}"#, true),
        (format!(r#"{{"any":[{},{y}]}}"#, x(1)), r#"{"x":2,"y":2}"#, false),
        (format!(r#"{{"not":{}}}"#, x(1)), r#"{"x":2}"#, true),
        (format!(r#"{{"not":{}}}"#, x(1)), r#"{"x":1}"#, false),
        (format!(r#"{{"not":{{"not":{}}}}}"#, x(1)), r#"{"x":1}"#, true),
        (format!(r#"{{"not":{{"any":[{},{}]}}}}"#, x(1), x(2)), r#"{"x":3}"#, true),
        (format!(r#"{{"all":[{{"any":[{},{}]}},{y}]}}"#, x(1), x(2)), r#"{"x":2,"y":1}"#, true),
    ] {
        for place in PLACES {
            assert_eq!(holds(place, &condition, arguments), expected, "{place} {condition} {arguments}");
        }
    }
}

/// In `not` the place flips, so that what is missing or odd stays safe however deep it is negated.
#[test]
fn a_negation_stays_safe() {
    let every_operator = POSITIVE.iter().chain(&NEGATIVE).copied();
    for (op, value) in every_operator {
        let odd = if ["eq", "in", "contains", "neq", "not_in", "not_contains"].contains(&op) {
            // These compare any type: only a step that can't be taken is of the wrong type.
            (test(op, value).replace("args.x", "args.x.y"), r#"{"x":"text"}"#)
        } else {
            (test(op, value), r#"{"x":true}"#)
        };
        for (condition, arguments) in [(test(op, value), "{}"), odd] {
            let negated = format!(r#"{{"not":{condition}}}"#);
            let twice = format!(r#"{{"not":{negated}}}"#);
            assert_eq!(
                holds("require", &negated, arguments),
                !holds("deny_if", &condition, arguments),
                "{negated}"
            );
            assert_eq!(
                holds("deny_if", &negated, arguments),
                !holds("require", &condition, arguments),
                "{negated}"
            );
            assert_eq!(
                holds("require", &twice, arguments),
                holds("require", &condition, arguments),
                "{twice}"
            );
            assert_eq!(
                holds("deny_if", &twice, arguments),
                holds("deny_if", &condition, arguments),
                "{twice}"
            );
            assert!(holds("deny_if", &negated, arguments), "{negated} must deny what it can't tell");
        }
    }
    // `[*]` flips too: in `require` a negated one denies as soon as one element is bad.
    let no_prod = r#"{"not":{"path":"args.x[*]","op":"eq","value":"prod"}}"#;
    assert!(!holds("require", no_prod, &with(r#"["dev","prod"]"#)));
    assert!(holds("require", no_prod, &with(r#"["dev","test"]"#)));
}
