//! What a path leads to, and what is none.

use super::case::{judge, judge_entry};

fn denies(path: &str, arguments: &str) -> bool {
    let path = path.replace('\\', r"\\").replace('"', r#"\""#);
    judge_entry(
        &format!(r#"{{"deny_if":[{{"conditions":[{{"path":"{path}","op":"eq","value":1}}]}}]}}"#),
        arguments,
    ) != "allow"
}

#[test]
fn steps() {
    for (path, arguments) in [
        ("args.a.b", r#"{"a":{"b":1}}"#),
        ("args.items[0].id", r#"{"items":[{"id":1}]}"#),
        ("args.items[*].amount", r#"{"items":[{"amount":2},{"amount":1}]}"#),
        (r#"args["key.with.dots"]"#, r#"{"key.with.dots":1}"#),
        (r#"args["a\"b"]"#, r#"{"a\"b":1}"#),
        (r#"args[""]"#, r#"{"":1}"#),
        ("args.0", r#"{"0":1}"#),
        ("args.ключ-1.$ref", r#"{"ключ-1":{"$ref":1}}"#),
    ] {
        assert!(denies(path, arguments), "{path} {arguments}");
    }
    assert!(!denies("args.A", r#"{"a":1}"#), "keys compare by exact bytes");
    assert!(!denies("args.a", r#"{"a ":1}"#));
    assert!(!denies("args.0", "{\"a\":1}"));
}

#[test]
fn args_alone_is_the_whole_object() {
    let require =
        |op: &str, value: &str| format!(r#"{{"require":[{{"path":"args","op":"{op}","value":{value}}}]}}"#);
    assert_eq!(judge_entry(&require("eq", r#"{"b":2,"a":1}"#), r#"{"a":1.0,"b":2}"#), "allow");
    assert_eq!(judge_entry(&require("length_lte", "1"), r#"{"a":1}"#), "allow");
    assert_eq!(judge_entry(&require("length_lte", "1"), r#"{"a":1,"b":2}"#), "deny /tools/a/require/0");
    assert_eq!(
        judge_entry(&require("exists", "true"), ""),
        "deny /tools/a/require/0",
        "no arguments are missing"
    );
    assert_eq!(judge_entry(&require("exists", "true"), "{}"), "allow");
}

#[test]
fn names_of_the_context() {
    for (path, value) in [
        ("grant.label", "ci-runner"),
        ("grant.identity", "ci@acme.test"),
        ("client.name", "agent"),
        ("client.version", "1.2"),
        ("server.name", "Flowforge"),
        ("tool.name", "a"),
    ] {
        let require = |op: &str, value: &str| {
            format!(r#"{{"require":[{{"path":"{path}","op":"{op}","value":{value}}}]}}"#)
        };
        assert_eq!(judge_entry(&require("eq", &format!("\"{value}\"")), "{}"), "allow", "{path}");
        assert_eq!(judge_entry(&require("in", &format!("[1,\"{value}\"]")), "{}"), "allow", "{path}");
        assert_eq!(judge_entry(&require("regex", &format!("\"^{value}$\"")), "{}"), "allow", "{path}");
        assert_eq!(judge_entry(&require("contains", &format!("\"{value}\"")), "{}"), "allow", "{path}");
        assert_eq!(judge_entry(&require("length_gte", "1"), "{}"), "allow", "{path}");
        assert_eq!(judge_entry(&require("eq", "\"other\""), "{}"), "deny /tools/a/require/0", "{path}");
        assert_eq!(judge_entry(&require("in", "[\"other\",1]"), "{}"), "deny /tools/a/require/0", "{path}");
        assert_eq!(judge_entry(&require("contains", "\"other\""), "{}"), "deny /tools/a/require/0", "{path}");
        assert_eq!(judge_entry(&require("lt", "1"), "{}"), "deny /tools/a/require/0", "{path} is a text");
    }
}

#[test]
fn arguments_cannot_pose_as_the_context() {
    let entry = r#"{"require":[{"path":"grant.label","op":"eq","value":"admin"}]}"#;
    assert_eq!(
        judge_entry(entry, r#"{"grant":{"label":"admin"},"grant.label":"admin"}"#),
        "deny /tools/a/require/0"
    );
}

#[test]
fn a_context_without_the_name_is_missing() {
    let policy = super::case::read(
        r#"{"version":"1","default":"deny","tools":{"a":{"require":[{"path":"client.name","op":"neq","value":"bad"}]}}}"#,
    );
    let call = policy::Call {
        tool: "a",
        arguments: None,
        context: policy::Context::default(),
        state: policy::ToolState::default(),
    };
    assert_eq!(super::case::line(&policy.judge(&call)), "deny /tools/a/require/0");
}

#[test]
fn the_tool_name_is_the_one_called() {
    let document = r#"{"version":"1","default":"deny","tools":{"run_*":{"deny_if":[{"conditions":[{"path":"tool.name","op":"ends_with","value":"_all"}]}]}}}"#;
    assert_eq!(judge(document, "run_all", "{}"), "deny /tools/run_*/deny_if/0");
    assert_eq!(judge(document, "run_one", "{}"), "allow");
}
