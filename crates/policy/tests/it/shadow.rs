//! Shadow mode: judged and recorded, never blocked.

use policy::{Call, ToolState};

use super::case::{CONTEXT, judge, line, read, verdict};

const ONE: &str = r#""limits":[{"counter":"c","window":"minute","max":1}]"#;

fn document(rest: &str) -> String {
    format!(r#"{{"version":"1",{rest}}}"#)
}

#[test]
fn nothing_is_blocked() {
    let shadow = r#""mode":"shadow","default":"deny","hide":["h"],"tools":{
        "h":{},
        "d":{"deny_if":[{"conditions":[]}]},
        "r":{"require":[{"path":"args.x","op":"exists","value":true}]},
        "p":{"approve_if":[{"conditions":[]}]},
        "v":{"validate_arguments":true},
        "l":{"limits":[{"counter":"c","window":1,"max":1,"increment_from":"args.n"}]},
        "ok":{}}"#;
    for (tool, expected) in [
        ("h", "allow | shadow hide (hidden)"),
        ("x", "allow | shadow deny (default deny)"),
        ("d", "allow | shadow deny /tools/d/deny_if/0"),
        ("r", "allow | shadow deny /tools/r/require/0"),
        ("p", "allow | shadow pending /tools/p/approve_if/0"),
        ("v", "allow | shadow deny /tools/v/validate_arguments"),
        ("l", "allow | shadow deny /tools/l/limits/0"),
        ("ok", "allow"),
    ] {
        assert_eq!(judge(&document(shadow), tool, "{}"), expected);
    }
    let call = Call {
        tool: "ok",
        arguments: None,
        context: CONTEXT,
        state: ToolState { changed: true, schema: None },
    };
    assert_eq!(line(&read(&document(shadow)).judge(&call)), "allow | shadow deny (tool changed)");
}

#[test]
fn what_would_have_happened_is_said_in_full() {
    let policy = read(&document(
        r#""mode":"shadow","default":"deny","tools":{"a":{"approve_if":[{"conditions":[{"path":"args.n","op":"gt","value":5}],"message":"Look."}]}}"#,
    ));
    let policy::Verdict::Allow { charges, shadow: Some(shadow) } = verdict(&policy, "a", r#"{"n":6}"#, None)
    else {
        panic!("in shadow mode the call goes on")
    };
    assert!(charges.is_empty());
    assert_eq!(shadow.outcome.as_str(), "pending");
    assert_eq!((&*shadow.refusal.rule, &*shadow.refusal.message), ("/tools/a/approve_if/0", "Look."));
    assert_eq!(shadow.refusal.conditions, ["/tools/a/approve_if/0/conditions/0"]);
}

#[test]
fn hidden_tools_are_listed() {
    assert!(read(&document(r#""mode":"shadow","default":"deny","hide":["h"]"#)).shows("h"));
}

#[test]
fn limits_count_on_counters_of_their_own() {
    let shadow = document(&format!(r#""mode":"shadow","default":"deny","tools":{{"a":{{{ONE}}}}}"#));
    assert_eq!(judge(&shadow, "a", "{}"), "allow ~/tools/a/limits/0=1000000");
}

#[test]
fn a_call_that_would_be_denied_takes_nothing() {
    let shadow = document(&format!(
        r#""mode":"shadow","default":"deny","tools":{{"a":{{"deny_if":[{{"conditions":[]}}],{ONE}}}}}"#
    ));
    assert_eq!(judge(&shadow, "a", "{}"), "allow | shadow deny /tools/a/deny_if/0");
    // One limit that can't be counted, and none is taken.
    let second = document(
        r#""mode":"shadow","default":"deny","tools":{"a":{"limits":[{"counter":"c","window":1,"max":1},{"counter":"d","window":1,"max":1,"key":"args.k"}]}}"#,
    );
    assert_eq!(judge(&second, "a", "{}"), "allow | shadow deny /tools/a/limits/1");
}

#[test]
fn the_first_refusal_is_the_one_recorded() {
    let both = document(r#""mode":"shadow","default":"deny","hide":["a"],"tools":{"a":{"action":"deny"}}"#);
    assert_eq!(judge(&both, "a", "{}"), "allow | shadow hide (hidden)");
}

#[test]
fn an_entry_overrides_the_document() {
    let trial = document(&format!(
        r#""default":"deny","all_tools":{{{ONE}}},"tools":{{"a":{{"mode":"shadow","deny_if":[{{"conditions":[]}}],"limits":[{{"counter":"own","window":1,"max":1}}]}}}}"#
    ));
    assert_eq!(
        judge(&trial, "a", "{}"),
        "allow /all_tools/limits/0=1000000 | shadow deny /tools/a/deny_if/0",
        "what blocks still counts"
    );
    let strict =
        document(r#""mode":"shadow","default":"allow","tools":{"a":{"mode":"enforce","action":"deny"}}"#);
    assert_eq!(judge(&strict, "a", "{}"), "deny /tools/a/action");
    let all = document(
        r#""mode":"shadow","default":"allow","all_tools":{"mode":"enforce","deny_if":[{"conditions":[]}]},"tools":{"a":{"action":"deny"}}"#,
    );
    assert_eq!(judge(&all, "a", "{}"), "deny /all_tools/deny_if/0");
    let all = document(r#""default":"allow","all_tools":{"mode":"shadow","deny_if":[{"conditions":[]}]}"#);
    assert_eq!(judge(&all, "a", "{}"), "allow | shadow deny /all_tools/deny_if/0");
}

#[test]
fn hiding_is_shadowed_only_where_all_that_speaks_of_the_tool_is() {
    let of_entry = document(r#""default":"deny","tools":{"a":{"mode":"shadow","action":"hide"}}"#);
    assert_eq!(
        judge(&of_entry, "a", "{}"),
        "hide (hidden)",
        "`hide` is the document's, and the document blocks"
    );
    let of_document =
        document(r#""mode":"shadow","default":"deny","tools":{"a":{"mode":"enforce","action":"hide"}}"#);
    assert_eq!(judge(&of_document, "a", "{}"), "hide (hidden)", "the entry blocks");
    assert!(!read(&of_entry).shows("a") && !read(&of_document).shows("a"));
}
