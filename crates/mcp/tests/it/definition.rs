//! What counts as a change of a tool's definition.

use mcp::definition::canonical;

fn of(tool: &str) -> Option<String> {
    canonical(&json::parse(tool.as_bytes(), 64).expect("json"))
}

const PLAIN: &str = r#"{"name":"a","description":"d","inputSchema":{"type":"object","properties":{"n":{"minimum":1}}},"annotations":{"readOnlyHint":true}}"#;

#[test]
fn the_same_said_in_another_way_is_no_change() {
    let other = r#"{"annotations":{"readOnlyHint":true,"x":1,"title":null},"title":null,"inputSchema":{"properties":{"n":{"minimum":1.0}},"type":"object"},"description":"\u0064","name":"a","_meta":{"n":2}}"#;
    assert_eq!(of(PLAIN), of(other));
    let (hinted, titled) = (
        r#"{"inputSchema":{},"annotations":{"title":"t"}}"#,
        r#"{"title":"t","inputSchema":{},"annotations":{"title":"t"}}"#,
    );
    assert_eq!(of(hinted), of(titled));
    assert_eq!(
        of("{\"description\":\"a\\u0000b\",\"inputSchema\":{}}"),
        of("{\"description\":\"a\u{fffd}b\",\"inputSchema\":{}}")
    );
}

#[test]
fn another_word_is_one() {
    for (from, to) in [
        (r#""description":"d""#, r#""description":"D""#),
        (r#""description":"d","#, ""),
        (r#""minimum":1"#, r#""minimum":2"#),
        (r#""minimum":1"#, r#""minimum":1,"default":"x""#),
        ("true", "false"),
        (r#""readOnlyHint":true"#, r#""readOnlyHint":true,"destructiveHint":true"#),
        (r#""name":"a""#, r#""name":"a","title":"t""#),
    ] {
        assert_ne!(of(PLAIN), of(&PLAIN.replace(from, to)), "{to}");
    }
}

#[test]
fn what_is_no_definition_has_none() {
    for odd in [
        r#"{"name":"a"}"#,
        r#"{"inputSchema":[]}"#,
        r#"{"inputSchema":{},"description":1}"#,
        r#"{"inputSchema":{},"title":{}}"#,
        r#"{"inputSchema":{},"annotations":"x"}"#,
    ] {
        assert_eq!(of(odd), None, "{odd}");
    }
}
