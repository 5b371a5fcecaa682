//! The order of the steps, and what a refusal says of itself.

use policy::{Call, Policy, ToolState, Verdict};

use super::case::{CONTEXT, judge_entry, line, read, verdict};

fn refusal(verdict: Verdict) -> policy::Refusal {
    match verdict {
        Verdict::Deny(refusal) | Verdict::Hide(refusal) | Verdict::Pending { refusal, .. } => refusal,
        Verdict::Allow { .. } => panic!("allowed"),
    }
}

/// Everything refuses; step by step, what comes first is taken away.
#[test]
fn the_first_denial_wins() {
    let steps = [
        (r#""hide":["a"],"#, "hide (hidden)"),
        ("", "deny (tool changed)"),
        (r#""validate_arguments":true,"#, "deny /tools/a/validate_arguments"),
        (r#""require":[{"path":"args.x","op":"exists","value":true}],"#, "deny /tools/a/require/0"),
        (r#""deny_if":[{"conditions":[]}],"#, "deny /tools/a/deny_if/0"),
        (r#""approve_if":[{"conditions":[]}],"#, "pending /tools/a/approve_if/0"),
        (
            r#""limits":[{"counter":"c","window":1,"max":1,"increment_from":"args.n"}],"#,
            "deny /tools/a/limits/0",
        ),
        ("", "allow"),
    ];
    for (first, (_, expected)) in steps.iter().enumerate() {
        let part = |step: usize| if first <= step { steps[step].0 } else { "" };
        let entry: String = (2..7).map(part).collect();
        let document = format!(
            r#"{{"version":"1",{}"default":"deny","tools":{{"a":{{{}"mode":"enforce"}}}}}}"#,
            part(0),
            entry
        );
        let state = ToolState { changed: first <= 1, schema: None };
        let call = Call { tool: "a", arguments: None, context: CONTEXT, state };
        let policy = read(&document);
        assert_eq!(line(&policy.judge(&call)), *expected, "{document}");
        // A person answers for step 9 alone.
        let approved = if expected.starts_with("pending") { steps[first + 1].1 } else { expected };
        assert_eq!(line(&policy.judge_approved(&call)), approved, "{document}");
    }
}

#[test]
fn default_deny_comes_before_a_changed_tool() {
    let call = Call {
        tool: "a",
        arguments: None,
        context: CONTEXT,
        state: ToolState { changed: true, schema: None },
    };
    let judge = |document: &str| line(&read(document).judge(&call));
    assert_eq!(judge(r#"{"version":"1","default":"deny"}"#), "deny (default deny)");
    assert_eq!(judge(r#"{"version":"1","default":"allow"}"#), "deny (tool changed)");
}

#[test]
fn grants_without_a_readable_policy() {
    assert_eq!(&*policy::no_policy().rule, "(no policy)");
    assert_eq!(&*policy::invalid().rule, "(invalid policy)");
    assert!(Policy::read(b"{}").is_err(), "what can't be read judges nothing");
}

/// What is said of a tool without a call.
#[test]
fn a_tool_by_itself() {
    let policy = read(
        r#"{"version":"1","default":"deny","hide":["h"],"tools":{"a":{"limits":[{"counter":"c","window":1,"max":1}]},"d":{"action":"deny"}}}"#,
    );
    assert_eq!(policy.judge_tool("a"), Verdict::Allow { charges: Vec::new(), shadow: None });
    for (tool, outcome, message) in [
        ("h", "hide (hidden)", "this tool is hidden"),
        ("x", "deny (default deny)", "the policy does not allow this tool"),
        ("d", "deny /tools/d/action", "the policy denies this call"),
    ] {
        let verdict = policy.judge_tool(tool);
        assert_eq!(line(&verdict), outcome);
        assert_eq!(&*refusal(verdict).message, message);
    }
}

/// An item refuses by all of its conditions, a list by one of its items; a list of no conditions always holds.
#[test]
fn items_and_lists() {
    let x = |n: u8| format!(r#"{{"path":"args.x","op":"eq","value":{n}}}"#);
    let y = r#"{"path":"args.y","op":"eq","value":1}"#;
    let two_items =
        format!(r#"{{"deny_if":[{{"conditions":[{},{y}]}},{{"conditions":[{},{y}]}}]}}"#, x(1), x(2));
    for (arguments, expected) in [
        (r#"{"x":1}"#, "allow"),
        (r#"{"y":1}"#, "allow"),
        (r#"{"x":1,"y":1}"#, "deny /tools/a/deny_if/0"),
        (r#"{"x":2,"y":1}"#, "deny /tools/a/deny_if/1"),
    ] {
        assert_eq!(judge_entry(&two_items, arguments), expected, "{arguments}");
    }
    assert_eq!(judge_entry(r#"{"require":[{"conditions":[]}]}"#, "{}"), "allow");
    assert_eq!(judge_entry(r#"{"deny_if":[],"require":[],"approve_if":[],"limits":[]}"#, "{}"), "allow");
    let second = format!(r#"{{"require":[{y},{{"conditions":[{y},{}]}}]}}"#, x(1));
    assert_eq!(judge_entry(&second, r#"{"y":1}"#), "deny /tools/a/require/1", "every item must hold");
}

#[test]
fn rules_name_their_place_as_written() {
    let document = r#"{"version":"1","default":"deny","tools":{"a/b~c d":{"require":[{"path":"args.x","op":"exists","value":true}]}}}"#;
    let refusal = refusal(verdict(&read(document), "a/b~c d", "{}", None));
    assert_eq!(&*refusal.rule, "/tools/a~1b~0c d/require/0");
    let written = json::parse(document.as_bytes(), 64).expect("JSON");
    assert!(written.pointer(&refusal.rule).is_some(), "an editor can jump to it");
}

#[test]
fn the_conditions_that_decided_are_named() {
    let document = r#"{"version":"1","default":"deny","tools":{
        "bare":{"require":[{"path":"args.x","op":"exists","value":true}]},
        "item":{"require":[{"conditions":[{"path":"args.x","op":"exists","value":true},{"path":"args.y","op":"exists","value":true},{"path":"args.z","op":"exists","value":true}]}]},
        "both":{"deny_if":[{"conditions":[{"path":"args.x","op":"eq","value":1},{"any":[{"path":"args.y","op":"eq","value":1},{"path":"args.y","op":"eq","value":2},{"path":"args.y","op":"gt","value":1}]}]}]},
        "deep":{"require":[{"not":{"any":[{"path":"args.x","op":"eq","value":1},{"all":[{"path":"args.y","op":"eq","value":1},{"path":"args.z","op":"eq","value":1}]}]}}]},
        "none":{"require":[{"any":[{"path":"args.x","op":"eq","value":1},{"path":"args.y","op":"eq","value":1}]}]},
        "flat":{"action":"deny"}
    }}"#;
    let policy = read(document);
    let written = json::parse(document.as_bytes(), 64).expect("JSON");
    for (tool, arguments, conditions) in [
        ("bare", "{}", vec!["/tools/bare/require/0"]),
        ("item", r#"{"x":1}"#, vec!["/tools/item/require/0/conditions/1"]),
        (
            "both",
            r#"{"x":1,"y":2}"#,
            vec!["/tools/both/deny_if/0/conditions/0", "/tools/both/deny_if/0/conditions/1/any/1"],
        ),
        (
            "deep",
            r#"{"x":2,"y":1,"z":1}"#,
            vec!["/tools/deep/require/0/not/any/1/all/0", "/tools/deep/require/0/not/any/1/all/1"],
        ),
        ("deep", r#"{"x":1,"y":1,"z":2}"#, vec!["/tools/deep/require/0/not/any/0"]),
        ("none", r#"{"x":3}"#, vec!["/tools/none/require/0/any/0", "/tools/none/require/0/any/1"]),
        ("flat", "{}", vec![]),
    ] {
        let refusal = refusal(verdict(&policy, tool, arguments, None));
        assert_eq!(refusal.conditions, conditions, "{tool} {arguments}");
        for pointer in &refusal.conditions {
            let condition = written.pointer(pointer).expect("a place in the document");
            assert!(condition.get("path").is_some(), "{pointer} is a test");
        }
    }
}

#[test]
fn messages_are_the_documents_or_neutral() {
    let document = r#"{"version":"1","default":"deny","tools":{
        "own":{"require":[{"conditions":[{"path":"args.secret","op":"eq","value":1}],"on_deny":"Say why."}],
               "deny_if":[{"conditions":[{"path":"args.d","op":"eq","value":1}],"on_deny":"Not you."}],
               "approve_if":[{"conditions":[],"message":"Big one.","expires_in":"1h"}]},
        "neutral":{"require":[{"path":"args.secret","op":"eq","value":"topsecret"}]},
        "why":{"action":"deny","reason":"Runs downloaded code."},
        "ask":{"action":"require_approval","reason":"Ask ops."}
    }}"#;
    let policy = read(document);
    let message =
        |tool: &str, arguments: &str| refusal(verdict(&policy, tool, arguments, None)).message.to_string();
    assert_eq!(message("own", "{}"), "Say why.");
    assert_eq!(message("own", r#"{"secret":1,"d":1}"#), "Not you.");
    assert_eq!(message("own", r#"{"secret":1}"#), "Big one.");
    assert_eq!(message("why", "{}"), "Runs downloaded code.");
    assert_eq!(message("ask", "{}"), "Ask ops.");
    let neutral = message("neutral", r#"{"secret":"guess"}"#);
    assert!(!neutral.is_empty() && !neutral.contains("secret") && !neutral.contains("guess"), "{neutral}");
    assert!(matches!(
        verdict(&policy, "own", r#"{"secret":1}"#, None),
        Verdict::Pending { expires_in: Some(3600), .. }
    ));
    assert!(matches!(verdict(&policy, "ask", "{}", None), Verdict::Pending { expires_in: None, .. }));
}

#[test]
fn the_rules_of_a_document_can_be_listed() {
    let policy = read(include_str!("../data/everything.json"));
    let rules = policy.rules();
    let written = json::parse(include_bytes!("../data/everything.json"), 64).expect("JSON");
    for rule in &rules {
        assert!(written.pointer(rule).is_some(), "{rule}");
    }
    assert_eq!(rules.len(), 20, "{rules:#?}");
    for expected in [
        "/hide/0",
        "/tools/c/action",
        "/tools/d/action",
        "/tools/b_*/action",
        "/tools/b_*/validate_arguments",
        "/tools/a/require/2",
        "/all_tools/rate_limit",
    ] {
        assert!(rules.iter().any(|rule| rule == expected), "{expected}");
    }
    assert_eq!(policy.hiding("c").collect::<Vec<_>>(), ["/tools/c/action"]);
    assert_eq!(policy.hiding("h_1").collect::<Vec<_>>(), ["/hide/0"]);
    assert_eq!(policy.hiding("a").count(), 0);
}
