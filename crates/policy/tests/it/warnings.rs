//! What is odd about a document though not wrong.

use policy::ToolFacts;

use super::case::read;

const TOOLS: [ToolFacts<'static>; 5] = [
    ToolFacts { name: "list_runs", destructive: false, approval: false },
    ToolFacts { name: "get_run", destructive: false, approval: false },
    ToolFacts { name: "delete_run", destructive: true, approval: false },
    ToolFacts { name: "delete_task", destructive: true, approval: false },
    ToolFacts { name: "approve_call", destructive: false, approval: true },
];

/// `code pointer line:column` of each warning.
fn warnings(document: &str, tools: &[ToolFacts<'_>]) -> Vec<String> {
    let warnings = read(document).warnings(tools);
    warnings
        .iter()
        .map(|found| format!("{} {} {}:{}", found.code, found.pointer, found.line, found.column))
        .collect()
}

#[test]
fn a_plain_document_has_none() {
    let document = r#"{"version":"1","default":"deny","hide":["delete_*","approve_call"],"tools":{"list_*":{},"get_run":{"rate_limit":"1/day"}}}"#;
    assert!(warnings(document, &TOOLS).is_empty());
    assert!(warnings(document, &[]).is_empty());
}

#[test]
fn names_that_match_no_known_tool() {
    let document = "{\"version\":\"1\",\"default\":\"deny\",\n \"hide\":[\"delete_*\",\"drop_*\"],\n \"tools\":{\"list_runs\":{},\n  \"lists_runs\":{},\"nope\":{\"action\":\"hide\"}}}";
    assert_eq!(
        warnings(document, &TOOLS),
        [
            "matches_no_tool /hide/1 2:21",
            "matches_no_tool /tools/lists_runs 4:3",
            "matches_no_tool /tools/nope 4:19"
        ]
    );
    assert!(warnings(document, &[]).is_empty(), "nothing is known of the server");
}

#[test]
fn entries_that_another_makes_unreachable() {
    let codes = |document: &str, tools: &[ToolFacts<'_>]| {
        let found = warnings(document, tools);
        found.into_iter().map(|line| line.rsplit_once(' ').expect("a place").0.to_owned()).collect::<Vec<_>>()
    };
    let hidden =
        r#"{"version":"1","default":"deny","hide":["delete_*"],"tools":{"delete_run":{},"delete_t*":{}}}"#;
    assert_eq!(codes(hidden, &[]), ["unreachable /tools/delete_run", "unreachable /tools/delete_t*"]);
    let by_action =
        r#"{"version":"1","default":"deny","tools":{"delete_*":{"action":"hide"},"delete_run":{}}}"#;
    assert_eq!(codes(by_action, &[]), ["unreachable /tools/delete_run"]);
    let equal = r#"{"version":"1","default":"deny","tools":{"a?c":{},"a*c":{}}}"#;
    assert_eq!(codes(equal, &[]), ["unreachable /tools/a?c"]);
    let outdone = r#"{"version":"1","default":"deny","tools":{"get_*":{},"get_run":{},"list_*":{}}}"#;
    assert!(codes(outdone, &[]).is_empty());
    assert_eq!(codes(outdone, &TOOLS), ["unreachable /tools/get_*"]);
    let useful = r#"{"version":"1","default":"deny","tools":{"*run*":{},"get_*":{}}}"#;
    assert!(codes(useful, &TOOLS).is_empty());
}

#[test]
fn destructive_tools_that_the_default_allows() {
    let document = r#"{"version":"1","default":"allow","hide":["approve_call"],"methods":{"resources":"deny","prompts":"deny","completion":"deny"},"tools":{"delete_run":{}}}"#;
    assert_eq!(warnings(document, &TOOLS), ["destructive_allowed /default 1:1"]);
    assert!(read(document).warnings(&TOOLS)[0].message.contains("`delete_task`"));
    assert!(warnings(&document.replace("\"allow\"", "\"deny\""), &TOOLS).is_empty());
    assert!(warnings(&document.replace("delete_run", "delete_*"), &TOOLS).is_empty());
    assert!(
        warnings(&document.replace("[\"approve_call\"]", "[\"approve_call\",\"delete_task\"]"), &TOOLS)
            .is_empty()
    );
    let asked = document.replace("\"tools\"", r#""all_tools":{"approve_if":[{"conditions":[]}]},"tools""#);
    assert!(warnings(&asked, &TOOLS).is_empty());
}

#[test]
fn ways_around_what_is_hidden() {
    let document = r#"{"version":"1","default":"allow","hide":["delete_*","approve_call"]}"#;
    assert_eq!(warnings(document, &TOOLS), ["open_by_default /default 1:1"]);
    let message = &read(document).warnings(&[])[0].message;
    assert!(message.contains("resources, prompts, completion"), "{message}");
    let some = document.replace("\"hide\"", r#""methods":{"resources":"deny","prompts":"allow"},"hide""#);
    assert!(read(&some).warnings(&[])[0].message.contains("allows completion,"));
    let named = some.replace("\"prompts\"", r#""completion":"allow","prompts""#);
    assert!(warnings(&named, &TOOLS).is_empty(), "the author has decided");
    assert!(warnings(&document.replace("\"allow\"", "\"deny\""), &TOOLS).is_empty());
}

#[test]
fn tools_that_approve_the_grants_own_calls() {
    for (entry, warned) in [
        ("{}", true),
        (r#"{"rate_limit":"1/day"}"#, true),
        (r#"{"deny_if":[{"conditions":[{"path":"args.x","op":"exists","value":true}]}]}"#, true),
        (r#"{"action":"deny","mode":"shadow"}"#, true),
        (r#"{"action":"deny"}"#, false),
        (r#"{"action":"hide"}"#, false),
        (r#"{"action":"require_approval"}"#, false),
    ] {
        let document = format!(r#"{{"version":"1","default":"deny","tools":{{"approve_call":{entry}}}}}"#);
        let expected: &[&str] = if warned { &["self_approval /tools/approve_call 1:42"] } else { &[] };
        assert_eq!(warnings(&document, &TOOLS), expected, "{entry}");
    }
    assert!(
        warnings(r#"{"version":"1","default":"allow","hide":["delete_*"]}"#, &TOOLS)
            .contains(&"self_approval /default 1:1".to_owned())
    );
}

#[test]
fn comparing_with_null() {
    let document = r#"{"version":"1","default":"deny","tools":{"a":{"deny_if":[{"conditions":[{"path":"args.x","op":"eq","value":null},{"path":"args.x","op":"in","value":[1,null]}]}]}}}"#;
    let found = warnings(document, &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("never_equal /tools/a/deny_if/0/conditions/0/value 1:"));
    assert!(found[1].starts_with("never_equal /tools/a/deny_if/0/conditions/1/value/1 1:"));
}

#[test]
fn counters_that_a_call_takes_twice() {
    let document = r#"{"version":"1","default":"deny","all_tools":{"limits":[{"counter":"calls","window":60,"max":9}]},
        "tools":{"a":{"limits":[{"counter":"calls","window":"minute","max":5}]},"b":{"limits":[{"counter":"calls","window":"hour","max":5}]}}}"#;
    let found = warnings(document, &[]);
    assert_eq!(found, ["counted_twice /tools/a/limits/0 2:18"]);
}
