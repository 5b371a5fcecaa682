//! Filtered lists.

use mcp::Era;
use mcp::lists::Filter;
use mcp::sse::Parser;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::parsed;

const CAP: u64 = 1000;

fn filter(era: Era, body: &[u8]) -> Option<Vec<u8>> {
    let shows = |name: &str| !name.starts_with("hidden");
    Filter { era, max_ttl_ms: CAP, shows: &shows }.apply(body).expect("readable")
}

fn legacy(body: &str) -> String {
    let filtered = filter(Era::Legacy, body.as_bytes());
    filtered.map_or_else(|| body.to_owned(), |bytes| String::from_utf8(bytes).expect("utf-8"))
}

fn modern(result: &Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
    filter(Era::Modern, body.as_bytes())
        .map_or_else(|| result.clone(), |bytes| parsed(&bytes)["result"].clone())
}

#[test]
fn all_but_the_hidden_tools_stays_byte_for_byte() {
    let list = |tools: &str| {
        format!(
            r#"{{ "id":1,"result":{{"x":1.0e0,"tools": [{tools}] ,"nextCursor":"","n":12345678901234567890.123}},"jsonrpc":"2.0"}}"#
        )
    };
    let (a, b, h) = (
        r#"{"name":"a","inputSchema":{"x-mcp-header":"R","maximum":1e2,"z":0,"a":-0.0},"_meta":{"ui":{}}}"#,
        r#"{ "annotations":{}, "name":"b" }"#,
        r#"{"name":"hidden","inputSchema":{}}"#,
    );
    for (tools, expected) in [
        (vec![a, b], vec![a, b]),
        (vec![h, a, b], vec![a, b]),
        (vec![a, h, b], vec![a, b]),
        (vec![a, b, h], vec![a, b]),
        (vec![h, h, a, h, h, b, h], vec![a, b]),
        (vec![h], vec![]),
        (vec![h, h], vec![]),
        (vec![], vec![]),
    ] {
        assert_eq!(legacy(&list(&tools.join(","))), list(&expected.join(",")));
    }
    assert_eq!(filter(Era::Legacy, list(a).as_bytes()), None, "nothing to change");
}

#[test]
fn an_emptied_page_keeps_its_cursor() {
    let page = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"hidden"}],"nextCursor":"p2"}}"#;
    let found = parsed(legacy(page).as_bytes());
    assert_eq!(found["result"], json!({ "tools": [], "nextCursor": "p2" }));
}

#[test]
fn names_are_compared_as_they_read() {
    let escaped =
        r#"{"jsonrpc":"2.0","id":1,"result":{"\u0074ools":[{"na\u006de":"\u0068idden"},{"name":"a"}]}}"#;
    assert_eq!(parsed(legacy(escaped).as_bytes())["result"]["tools"], json!([{ "name": "a" }]));
}

#[test]
fn what_has_no_name_is_not_shown() {
    for tool in ["7", "null", "[]", "{}", r#"{"name":7}"#, r#"{"name":null}"#, r#"{"Name":"a"}"#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{tool},{{"name":"a"}}]}}}}"#);
        assert_eq!(parsed(legacy(&body).as_bytes())["result"]["tools"], json!([{ "name": "a" }]), "{tool}");
    }
    for tools in [r#"{"hidden":{"name":"hidden"}}"#, r#""hidden""#] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":{tools}}}}}"#);
        assert_eq!(parsed(legacy(&body).as_bytes())["result"]["tools"], json!([]), "{tools}");
    }
}

#[test]
fn each_element_of_a_batch_is_filtered() {
    let body = r#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"hidden"}]}},
        {"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"a"},{"name":"hidden2"}]}}]"#;
    let found = parsed(legacy(body).as_bytes());
    assert_eq!(found[1]["result"]["tools"], json!([]));
    assert_eq!(found[2]["result"]["tools"], json!([{ "name": "a" }]));
    assert_eq!(found[0]["result"], json!({}));
}

#[test]
fn other_messages_pass() {
    for body in [
        r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"","data":{"tools":[{"name":"hidden"}]}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"structuredContent":{"tools":[{"name":"hidden"}]}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":[]}"#,
        "[]",
        "1",
    ] {
        assert_eq!(filter(Era::Legacy, body.as_bytes()), None, "{body}");
        assert_eq!(filter(Era::Modern, body.as_bytes()), None, "{body}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_not_filtered() {
    let never = Filter { era: Era::Legacy, max_ttl_ms: CAP, shows: &|_| true };
    for body in [
        "",
        "{",
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"tools":[{"name":"hidden"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{"tools":[{"name":"hidden"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","name":"hidden"}]}}"#,
        "\u{feff}{}",
    ] {
        assert!(never.apply(body.as_bytes()).is_err(), "{body}");
    }
    assert!(never.apply(b"{\"result\":{\"tools\":[{\"name\":\"\xff\"}]}}").is_err());
}

#[test]
fn a_modern_list_is_private_and_not_kept_long() {
    let tools = json!([{ "name": "a" }]);
    for (given, expected) in [
        (json!({ "ttlMs": 60_000, "cacheScope": "public" }), (1000, "private")),
        (json!({ "ttlMs": 1000, "cacheScope": "private" }), (1000, "private")),
        (json!({ "ttlMs": 5, "cacheScope": "public" }), (5, "private")),
        (json!({ "cacheScope": 7 }), (0, "private")),
        (json!({ "ttlMs": -1 }), (0, "private")),
        (json!({ "ttlMs": 1.5 }), (0, "private")),
        (json!({ "ttlMs": "60000" }), (0, "private")),
        (json!({}), (0, "private")),
    ] {
        let mut result = given.clone();
        result["tools"] = tools.clone();
        result["resultType"] = "complete".into();
        let found = modern(&result);
        assert_eq!(
            (found["ttlMs"].clone(), found["cacheScope"].clone()),
            (expected.0.into(), expected.1.into()),
            "{given}"
        );
        assert_eq!((&found["tools"], &found["resultType"]), (&tools, &json!("complete")));
    }
    let emptied = modern(&json!({ "tools": [{ "name": "hidden" }], "ttlMs": 9999 }));
    assert_eq!(emptied, json!({ "tools": [], "ttlMs": 1000, "cacheScope": "private" }));
    let kept = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"ttlMs":1,"cacheScope":"private"}}"#;
    assert_eq!(filter(Era::Modern, kept.as_bytes()), None);
    let legacy = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
    assert_eq!(filter(Era::Legacy, legacy.as_bytes()), None, "older revisions have no caching");
}

#[test]
fn a_list_inside_an_event_is_filtered() {
    let mut parser = Parser::new(1 << 16);
    parser.push(
        b"id: 4\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\r\ndata: \"result\":{\"tools\":[{\"name\":\"hidden\"},{\"name\":\"a\"}]}}\r\n\r\n",
    );
    let event = parser.next_event().expect("small").expect("whole");
    let filtered = filter(Era::Legacy, event.data().expect("data")).expect("changed");
    assert_eq!(
        event.with_data(&filtered),
        "id: 4\r\nevent: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\r\ndata: \"result\":{\"tools\":[{\"name\":\"a\"}]}}\r\n\r\n"
    );
}

fn tool() -> impl Strategy<Value = Value> {
    ("(hidden)?[a-c\"\\\\é]{0,3}", any::<bool>(), any::<i64>()).prop_map(|(name, more, number)| {
        let mut tool = json!({ "name": name });
        if more {
            tool["inputSchema"] = json!({ "properties": { "tools": [{ "name": "inner" }], "n": number } });
        }
        tool
    })
}

proptest! {
    #[test]
    fn no_hidden_tool_leaks_and_no_other_is_lost(tools in prop::collection::vec(tool(), 0..8), pretty in any::<bool>(), modern in any::<bool>()) {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": tools, "nextCursor": "c" } });
        let body = if pretty { serde_json::to_vec_pretty(&message) } else { serde_json::to_vec(&message) };
        let body = body.expect("JSON");
        let era = if modern { Era::Modern } else { Era::Legacy };
        let found = parsed(&filter(era, &body).unwrap_or(body));
        let shown: Vec<_> = tools.into_iter().filter(|tool| !tool["name"].as_str().expect("name").starts_with("hidden")).collect();
        prop_assert_eq!(&found["result"]["tools"], &Value::from(shown));
        prop_assert_eq!(&found["result"]["nextCursor"], "c");
        prop_assert_eq!(filter(era, found.to_string().as_bytes()), None, "filtering once is enough");
    }

    #[test]
    fn bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..100)) {
        let never = Filter { era: Era::Modern, max_ttl_ms: CAP, shows: &|_| false };
        if let Ok(Some(filtered)) = never.apply(&body) {
            parsed(&filtered);
        }
    }
}
