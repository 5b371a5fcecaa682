//! What a call is charged, and what it is counted by.

use policy::{Align, MAX_AMOUNT_MICROS, Scope, Unit, Verdict, Window};

use super::case::{judge_entry, read, verdict};

fn charge(limit: &str, arguments: &str) -> policy::Charge {
    let document = format!(r#"{{"version":"1","default":"deny","tools":{{"a":{{"limits":[{limit}]}}}}}}"#);
    match verdict(&read(&document), "a", arguments, None) {
        Verdict::Allow { charges, .. } => charges.into_iter().next().expect("a charge"),
        other => panic!("{limit} {arguments}: {other:?}"),
    }
}

fn limit(fields: &str) -> policy::Limit {
    (*charge(&format!(r#"{{"counter":"c","window":"minute","max":10{fields}}}"#), "{}").limit).clone()
}

#[test]
fn defaults() {
    let limit = limit("");
    assert_eq!((limit.scope, limit.align, limit.refund_on_error), (Scope::Grant, Align::Sliding, false));
    assert_eq!((limit.window, limit.max_micros), (Window::Unit(Unit::Minute), 10_000_000));
    assert_eq!(&*limit.message, "the limit of 10 per minute is used up: try again later");
    let charge = charge(r#"{"counter":"c","window":"minute","max":10}"#, "{}");
    assert_eq!((charge.amount_micros, charge.key, charge.shadow), (1_000_000, None, false));
}

#[test]
fn every_field() {
    for (word, scope) in [
        ("session", Scope::Session),
        ("grant", Scope::Grant),
        ("identity", Scope::Identity),
        ("server", Scope::Server),
        ("organisation", Scope::Organisation),
    ] {
        assert_eq!(limit(&format!(r#","scope":"{word}""#)).scope, scope);
        assert_eq!(scope.as_str(), word);
    }
    for (written, window, seconds) in [
        ("\"second\"", Window::Unit(Unit::Second), 1),
        ("\"minute\"", Window::Unit(Unit::Minute), 60),
        ("\"hour\"", Window::Unit(Unit::Hour), 3_600),
        ("\"day\"", Window::Unit(Unit::Day), 86_400),
        ("\"month\"", Window::Unit(Unit::Month), 30 * 86_400),
        ("1", Window::Seconds(1), 1),
        ("90.0", Window::Seconds(90), 90),
        ("2678400", Window::Seconds(2_678_400), 2_678_400),
    ] {
        let limit = charge(&format!(r#"{{"counter":"c","window":{written},"max":1}}"#), "{}").limit;
        assert_eq!((limit.window, limit.window.seconds()), (window, seconds), "{written}");
    }
    assert_eq!(limit(r#","align":"calendar""#).align, Align::Calendar);
    assert_eq!((Align::Sliding.as_str(), Align::Calendar.as_str()), ("sliding", "calendar"));
    assert!(limit(r#","refund_on_error":true"#).refund_on_error);
    assert_eq!(&*limit(r#","on_deny":"Slow down.""#).message, "Slow down.");
    assert_eq!(
        charge(r#"{"counter":"c","window":1,"max":1,"increment":2.5}"#, "{}").amount_micros,
        2_500_000
    );
}

#[test]
fn the_most_is_rounded_down_and_costs_up() {
    for (max, micros) in [("0", 0), ("0.0000019", 1), ("9000000000", MAX_AMOUNT_MICROS), ("2.5", 2_500_000)] {
        let limit = charge(&format!(r#"{{"counter":"c","window":1,"max":{max}}}"#), "{}").limit;
        assert_eq!(limit.max_micros, micros, "{max}");
    }
    for (increment, micros) in
        [("0", 0), ("0.0000001", 1), ("0.99", 990_000), ("9000000000", MAX_AMOUNT_MICROS)]
    {
        let charge =
            charge(&format!(r#"{{"counter":"c","window":1,"max":1,"increment":{increment}}}"#), "{}");
        assert_eq!(charge.amount_micros, micros, "{increment}");
    }
}

#[test]
fn the_cost_is_the_number_at_the_path() {
    let spend = r#"{"counter":"c","window":1,"max":1,"increment_from":"args.order.amount"}"#;
    for (amount, micros) in [
        ("12.34", 12_340_000),
        ("0.99", 990_000),
        ("1e-7", 1),
        ("1.0000001", 1_000_001),
        ("0", 0),
        ("-0", 0),
        ("1e3", 1_000_000_000),
        ("9000000000", MAX_AMOUNT_MICROS),
        ("9000000000.000001", MAX_AMOUNT_MICROS + 1),
        ("1e300", MAX_AMOUNT_MICROS + 1),
        ("18446744073710", MAX_AMOUNT_MICROS + 1),
    ] {
        assert_eq!(
            charge(spend, &format!(r#"{{"order":{{"amount":{amount}}}}}"#)).amount_micros,
            micros,
            "{amount}"
        );
    }
    for order in [
        "{}",
        "null",
        "7",
        r#"{"amount":null}"#,
        r#"{"amount":"5"}"#,
        r#"{"amount":-0.0000001}"#,
        r#"{"amount":[1]}"#,
        r#"{"amount":true}"#,
    ] {
        let entry = format!(r#"{{"limits":[{{"counter":"n","window":1,"max":1}},{spend}]}}"#);
        let line = judge_entry(&entry, &format!(r#"{{"order":{order}}}"#));
        assert_eq!(line, "deny /tools/a/limits/1", "a denied call takes nothing from any: {order}");
    }
    assert_eq!(judge_entry(&format!(r#"{{"limits":[{spend}]}}"#), ""), "deny /tools/a/limits/0");
}

#[test]
fn one_count_per_value_of_the_key() {
    let mails = r#"{"counter":"c","window":1,"max":1,"key":"args.to"}"#;
    let key = |to: &str| charge(mails, &format!(r#"{{"to":{to}}}"#)).key.expect("a key");
    assert_eq!(key("1"), key("1.0"), "equal values share a count");
    assert_eq!(key(r#"{"a":1,"b":[2]}"#), key(r#"{"b":[2.0],"a":1}"#));
    assert_eq!(key(r#""\u0061""#), key(r#""a""#));
    for (a, b) in [
        ("1", r#""1""#),
        ("true", r#""true""#),
        (r#""a""#, r#""A""#),
        ("[1]", "1"),
        (r#"["a","b"]"#, r#"["a,b"]"#),
    ] {
        assert_ne!(key(a), key(b), "others don't");
    }
    for missing in ["{}", r#"{"to":null}"#, ""] {
        assert_eq!(judge_entry(&format!(r#"{{"limits":[{mails}]}}"#), missing), "deny /tools/a/limits/0");
    }
    let deep = mails.replace("args.to", "args.to.mail[0]");
    assert_eq!(judge_entry(&format!(r#"{{"limits":[{deep}]}}"#), r#"{"to":"x"}"#), "deny /tools/a/limits/0");
    // The text of a value is kept for each limit, so it may not be of any size; 4 KiB as it is written.
    let long = |letters: usize| format!(r#"{{"to":"{}"}}"#, "x".repeat(letters));
    assert_eq!(
        judge_entry(&format!(r#"{{"limits":[{mails}]}}"#), &long(4094)),
        "allow /tools/a/limits/0=1000000"
    );
    assert_eq!(judge_entry(&format!(r#"{{"limits":[{mails}]}}"#), &long(4095)), "deny /tools/a/limits/0");
    let of_grant = mails.replace("args.to", "grant.identity");
    assert_eq!(charge(&of_grant, "{}").key.as_deref(), Some("\"ci@acme.test\""));
}

#[test]
fn all_limits_are_asked_for_together() {
    let document = r#"{"version":"1","default":"deny",
        "all_tools":{"limits":[{"counter":"calls","window":"day","max":100}]},
        "tools":{"a":{"limits":[{"counter":"x","window":1,"max":1},{"counter":"y","window":1,"max":1}],"rate_limit":"1/day"}}}"#;
    assert_eq!(
        super::case::judge(document, "a", "{}"),
        "allow /tools/a/limits/0=1000000 /tools/a/limits/1=1000000 /tools/a/rate_limit=1000000 /all_tools/limits/0=1000000"
    );
}
