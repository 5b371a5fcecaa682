//! What counts as a change of a tool's definition.

use mcp::definition::{Extent, canonical};

fn of(tool: &str) -> Option<String> {
    to(Extent::Whole, tool)
}

fn to(extent: Extent, tool: &str) -> Option<String> {
    canonical(&json::parse(tool.as_bytes(), 64).expect("json"), extent)
}

const PLAIN: &str = r#"{"name":"a","description":"d","inputSchema":{"type":"object","properties":{"n":{"minimum":1}}},"annotations":{"readOnlyHint":true}}"#;

#[test]
fn the_same_said_in_another_way_is_no_change() {
    let other = r#"{"annotations":{"readOnlyHint":true,"x":1,"title":null},"title":null,"inputSchema":{"properties":{"n":{"minimum":1.0}},"type":"object"},"description":"\u0064","name":"a","_meta":null,"icons":null,"x-own":1}"#;
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
    for (from, into) in [
        (r#""description":"d""#, r#""description":"D""#),
        (r#""description":"d","#, ""),
        (r#""minimum":1"#, r#""minimum":2"#),
        (r#""minimum":1"#, r#""minimum":1,"default":"x""#),
        ("true", "false"),
        (r#""readOnlyHint":true"#, r#""readOnlyHint":true,"destructiveHint":true"#),
        (r#""name":"a""#, r#""name":"a","title":"t""#),
    ] {
        for extent in [Extent::Words, Extent::Whole] {
            assert_ne!(to(extent, PLAIN), to(extent, &PLAIN.replace(from, into)), "{into}");
        }
    }
}

#[test]
fn so_is_what_clients_do_with_it() {
    for more in [
        r#""outputSchema":{"type":"object"}"#,
        r#""icons":[]"#,
        r#""icons":[{"src":"https://evil.example/i.svg"}]"#,
        r#""_meta":{}"#,
        r#""_meta":{"ui":{"resourceUri":"ui://evil"}}"#,
        r#""execution":{"taskSupport":"required"}"#,
    ] {
        let other = PLAIN.replace(r#""name":"a""#, &format!(r#""name":"a",{more}"#));
        assert_ne!(of(PLAIN), of(&other), "{more}");
        // Where it was not kept, nothing can be said of it.
        assert_eq!(to(Extent::Words, PLAIN), to(Extent::Words, &other), "{more}");
        let same = to(Extent::Shown, PLAIN) == to(Extent::Shown, &other);
        assert_eq!(same, more.contains("execution"), "{more}");
    }
    let icon = |icon: &str| of(&PLAIN.replace(r#""name":"a""#, &format!(r#""icons":[{icon}]"#)));
    assert_eq!(icon(r#"{"src":"a","own":1,"theme":null}"#), icon(r#"{"src":"a"}"#));
    assert_ne!(icon(r#"{"src":"a","theme":"dark"}"#), icon(r#"{"src":"a","theme":"light"}"#));
    assert_ne!(icon(r#"{"src":"a"},{"src":"b"}"#), icon(r#"{"src":"b"},{"src":"a"}"#));
}

#[test]
fn what_is_no_definition_has_none() {
    for odd in [
        r#"{"name":"a"}"#,
        r#"{"inputSchema":[]}"#,
        r#"{"inputSchema":{},"description":1}"#,
        r#"{"inputSchema":{},"title":{}}"#,
        r#"{"inputSchema":{},"annotations":"x"}"#,
        r#"{"inputSchema":{},"outputSchema":true}"#,
        r#"{"inputSchema":{},"icons":{}}"#,
        r#"{"inputSchema":{},"icons":["x"]}"#,
        r#"{"inputSchema":{},"_meta":[]}"#,
        r#"{"inputSchema":{},"execution":"task"}"#,
    ] {
        assert_eq!(of(odd), None, "{odd}");
    }
}
