//! Which entry a call gets, and what is hidden.

use policy::MAX_NAME;

use super::case::{judge, read};

#[test]
fn the_most_specific_key_is_the_only_one_used() {
    let document = r#"{"version":"1","default":"allow","tools":{
        "*":{"deny_if":[{"conditions":[]}]},
        "run_*":{"require":[{"path":"args.id","op":"exists","value":true}]},
        "run_all*":{"action":"require_approval"},
        "run_all":{}
    }}"#;
    assert_eq!(judge(document, "other", "{}"), "deny /tools/*/deny_if/0");
    assert_eq!(judge(document, "run_one", "{}"), "deny /tools/run_*/require/0");
    assert_eq!(judge(document, "run_all_now", "{}"), "pending /tools/run_all*/action");
    assert_eq!(judge(document, "run_all", "{}"), "allow");
    assert_eq!(judge(document, "RUN_ALL", "{}"), "deny /tools/*/deny_if/0", "no case folding");
    assert_eq!(
        judge(document, "run_all\u{200b}", "{}"),
        "pending /tools/run_all*/action",
        "no normalisation"
    );
    assert_eq!(judge(document, "", "{}"), "deny /tools/*/deny_if/0");
}

#[test]
fn an_exact_name_is_found_among_many() {
    let entries: Vec<String> =
        (0..300).map(|i| format!(r#""tool_{i}":{{"action":"deny"}},"glob_{i}_*":{{}}"#)).collect();
    let document = format!(r#"{{"version":"1","default":"deny","tools":{{{}}}}}"#, entries.join(","));
    let policy = read(&document);
    for i in 0..300 {
        let verdict = super::case::verdict(&policy, &format!("tool_{i}"), "{}", None);
        assert_eq!(super::case::line(&verdict), format!("deny /tools/tool_{i}/action"));
        assert_eq!(
            super::case::line(&super::case::verdict(&policy, &format!("glob_{i}_x"), "{}", None)),
            "allow"
        );
    }
    assert_eq!(judge(&document, "tool_300", "{}"), "deny (default deny)");
}

#[test]
fn hide_is_looked_at_first() {
    let document = r#"{"version":"1","default":"allow","hide":["delete_*"],"tools":{"delete_run":{"deny_if":[{"conditions":[]}]}}}"#;
    assert_eq!(judge(document, "delete_run", "{}"), "hide (hidden)");
    assert_eq!(judge(document, "delete_task", "{}"), "hide (hidden)");
    let policy = read(document);
    assert!(!policy.shows("delete_run") && !policy.shows("delete_task") && policy.shows("list_runs"));
}

#[test]
fn only_what_is_hidden_is_not_listed() {
    let policy =
        read(r#"{"version":"1","default":"deny","tools":{"a":{"action":"deny"},"b":{"action":"hide"}}}"#);
    assert!(policy.shows("a") && policy.shows("unlisted") && !policy.shows("b"));
}

#[test]
fn a_name_too_long_to_match_is_denied_whatever_the_default() {
    let document = r#"{"version":"1","default":"allow","tools":{"*":{}}}"#;
    assert_eq!(judge(document, &"x".repeat(MAX_NAME), "{}"), "allow");
    assert_eq!(judge(document, &"x".repeat(MAX_NAME + 1), "{}"), "deny (default deny)");
    let shadow = document.replace(r#""default""#, r#""mode":"shadow","default""#);
    assert_eq!(judge(&shadow, &"x".repeat(MAX_NAME + 1), "{}"), "deny (default deny)");
}

#[test]
fn of_equally_specific_globs_the_one_that_sorts_first_is_used() {
    let document = r#"{"version":"1","default":"deny","tools":{"r?n":{"action":"deny"},"r*n":{},"ru*":{"action":"require_approval"}}}"#;
    assert_eq!(judge(document, "run", "{}"), "allow", "`*` sorts before `?`, and `r*n` before `ru*`");
    assert_eq!(judge(document, "rum", "{}"), "pending /tools/ru*/action");
    assert_eq!(judge(document, "ran", "{}"), "allow");
    let single = r#"{"version":"1","default":"deny","tools":{"r?n":{}}}"#;
    assert_eq!(judge(single, "rén", "{}"), "allow", "`?` is one character");
    assert_eq!(judge(single, "rn", "{}"), "deny (default deny)");
    assert_eq!(judge(single, "ruun", "{}"), "deny (default deny)");
}

#[test]
fn hidden_names_compare_by_exact_bytes() {
    let document = r#"{"version":"1","default":"allow","hide":["Delete","dr?p"]}"#;
    for (tool, expected) in [
        ("Delete", "hide (hidden)"),
        ("delete", "allow"),
        ("Delete ", "allow"),
        ("drop", "hide (hidden)"),
        ("Drop", "allow"),
    ] {
        assert_eq!(judge(document, tool, "{}"), expected, "{tool}");
    }
}

#[test]
fn all_tools_applies_to_tools_without_an_entry_too() {
    let document = r#"{"version":"1","default":"allow","all_tools":{"deny_if":[{"conditions":[{"path":"args.x","op":"eq","value":1}]}]}}"#;
    assert_eq!(judge(document, "any", r#"{"x":1}"#), "deny /all_tools/deny_if/0");
    assert_eq!(judge(document, "any", "{}"), "allow");
}

#[test]
fn humans_are_asked_by_the_tools_own_rule_first() {
    let document = r#"{"version":"1","default":"deny",
        "all_tools":{"approve_if":[{"conditions":[]}]},
        "tools":{"a":{"approve_if":[{"conditions":[{"path":"args.n","op":"gt","value":9}]},{"conditions":[{"path":"args.n","op":"gt","value":5}]}]}}}"#;
    assert_eq!(judge(document, "a", r#"{"n":10}"#), "pending /tools/a/approve_if/0");
    assert_eq!(judge(document, "a", r#"{"n":6}"#), "pending /tools/a/approve_if/1");
    assert_eq!(judge(document, "a", r#"{"n":1}"#), "pending /all_tools/approve_if/0");
}

#[test]
fn all_tools_applies_after_the_tools_own() {
    let document = r#"{"version":"1","default":"deny",
        "all_tools":{"require":[{"path":"args.why","op":"exists","value":true}],"deny_if":[{"conditions":[{"path":"args.n","op":"gt","value":5}]}]},
        "tools":{"a":{"require":[{"path":"args.id","op":"exists","value":true}],"deny_if":[{"conditions":[{"path":"args.n","op":"gt","value":9}]}]},"b":{}}}"#;
    assert_eq!(judge(document, "a", "{}"), "deny /tools/a/require/0");
    assert_eq!(judge(document, "a", r#"{"id":1}"#), "deny /all_tools/require/0");
    assert_eq!(judge(document, "a", r#"{"id":1,"why":1,"n":10}"#), "deny /tools/a/deny_if/0");
    assert_eq!(judge(document, "a", r#"{"id":1,"why":1,"n":6}"#), "deny /all_tools/deny_if/0");
    assert_eq!(judge(document, "a", r#"{"id":1,"why":1,"n":5}"#), "allow");
    assert_eq!(judge(document, "b", r#"{"why":1,"n":6}"#), "deny /all_tools/deny_if/0");
    assert_eq!(judge(document, "c", r#"{"why":1}"#), "deny (default deny)");
}
