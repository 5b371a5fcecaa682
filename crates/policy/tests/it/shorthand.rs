//! `action`, `reason` and `rate_limit`.

use policy::{Scope, Unit, Verdict, Window};

use super::case::{judge_entry, read, verdict};

#[test]
fn action_stands_before_the_entrys_own_list() {
    let entry = r#"{"deny_if":[{"conditions":[]}],"action":"deny"}"#;
    assert_eq!(judge_entry(entry, "{}"), "deny /tools/a/action");
    let entry = r#"{"approve_if":[{"conditions":[]}],"action":"require_approval"}"#;
    assert_eq!(judge_entry(entry, "{}"), "pending /tools/a/action");
    let entry = r#"{"deny_if":[{"conditions":[{"path":"args.x","op":"exists","value":true}]}],"action":"require_approval"}"#;
    assert_eq!(
        judge_entry(entry, r#"{"x":1}"#),
        "deny /tools/a/deny_if/0",
        "the written place keeps its number"
    );
}

#[test]
fn allow_adds_nothing() {
    assert_eq!(judge_entry(r#"{"action":"allow"}"#, "{}"), "allow");
    assert_eq!(
        judge_entry(r#"{"action":"allow","deny_if":[{"conditions":[]}]}"#, "{}"),
        "deny /tools/a/deny_if/0"
    );
}

#[test]
fn hiding_a_glob_hides_all_that_it_matches() {
    let policy =
        read(r#"{"version":"1","default":"allow","tools":{"delete_*":{"action":"hide"},"delete_one":{}}}"#);
    assert_eq!(super::case::line(&verdict(&policy, "delete_all", "", None)), "hide (hidden)");
    assert_eq!(
        super::case::line(&verdict(&policy, "delete_one", "", None)),
        "hide (hidden)",
        "as the name in `hide` would"
    );
}

#[test]
fn rate_limit_comes_after_the_limits() {
    let entry = r#"{"rate_limit":"10/minute","limits":[{"counter":"c","window":"day","max":5}]}"#;
    assert_eq!(judge_entry(entry, "{}"), "allow /tools/a/limits/0=1000000 /tools/a/rate_limit=1000000");
}

fn limit(key: &str, rate: &str) -> policy::Limit {
    let document =
        format!(r#"{{"version":"1","default":"allow","tools":{{"{key}":{{"rate_limit":{rate}}}}}}}"#);
    let Verdict::Allow { charges, .. } = verdict(&read(&document), key, "{}", None) else {
        panic!("allowed")
    };
    (*charges.into_iter().next().expect("a charge").limit).clone()
}

#[test]
fn rate_limit_is_one_limit_per_grant() {
    for (rate, window) in [
        (r#""10/minute""#, Window::Unit(Unit::Minute)),
        (r#"{"max":10,"window":60}"#, Window::Seconds(60)),
        (r#"{"window":"hour","max":10.0}"#, Window::Unit(Unit::Hour)),
    ] {
        let limit = limit("a", rate);
        assert_eq!(
            (limit.window, limit.max_micros, limit.scope),
            (window, 10_000_000, Scope::Grant),
            "{rate}"
        );
        assert_eq!(&*limit.counter, "a_rate");
        assert_eq!(&*limit.rule, "/tools/a/rate_limit");
    }
    assert_eq!(limit("a", r#""0.5/day""#).max_micros, 500_000);
}

#[test]
fn keys_that_are_no_counter_get_one_of_their_own() {
    let keys = ["runs_*", "runs_?", "a/b", "é", &"x".repeat(60), &"x".repeat(61)];
    let counters: Vec<String> = keys.iter().map(|key| limit(key, r#""1/day""#).counter.to_string()).collect();
    for (i, counter) in counters.iter().enumerate() {
        assert!((1..=64).contains(&counter.len()) && counter.ends_with("_rate"), "{counter}");
        assert!(counter.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)), "{counter}");
        assert!(!counters[..i].contains(counter), "{counter}");
    }
    assert_eq!(limit(&"x".repeat(59), r#""1/day""#).counter.len(), 64);
    // Counts must survive a new release.
    assert_eq!(counters[0], "runs__.7a5bb174bfcbcb52_rate");
}

#[test]
fn all_tools_has_a_rate_too() {
    let policy = read(
        r#"{"version":"1","default":"allow","all_tools":{"rate_limit":"60/minute"},"tools":{"all_tools":{"rate_limit":"1/day"}}}"#,
    );
    let Verdict::Allow { charges, .. } = verdict(&policy, "all_tools", "{}", None) else { panic!("allowed") };
    let counters: Vec<&str> = charges.iter().map(|charge| &*charge.limit.counter).collect();
    assert_eq!(counters, ["all_tools_rate", "all_tools.rate"]);
}
