//! `initialize` and `server/discover`.

use domain::{Surface, Surfaces};
use mcp::handshake::Initialized;
use mcp::tasks::Names;
use mcp::{Draft, Message, Outgoing, StateGoing, Unreadable, Version, envelope, upstream_body};
use serde_json::{Value, json};

use crate::parsed;

const OPEN: Surfaces = Surfaces::ALL;

/// What is settled, and what the answer becomes.
fn initialized(body: &[u8], open: Surfaces) -> Result<(Option<Initialized>, Option<Vec<u8>>), Unreadable> {
    let mut draft = Draft::read(body)?;
    Ok((draft.initialized(open)?, draft.finish()))
}

fn discovered(body: &[u8], open: Surfaces, max_ttl_ms: u64) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut draft = Draft::read(body)?;
    draft.discovered(open, max_ttl_ms)?;
    Ok(draft.finish())
}

fn answer(result: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string().into_bytes()
}

fn capabilities() -> Value {
    json!({
        "tools": { "listChanged": true },
        "logging": {},
        "resources": { "subscribe": true },
        "prompts": {},
        "completions": {},
        "tasks": { "requests": { "tools": { "call": {} } } },
        "future": {},
        "extensions": { "io.modelcontextprotocol/tasks": {}, "io.modelcontextprotocol/ui": { "a": 1 } },
    })
}

#[test]
fn the_version_of_a_session_is_read() {
    for version in [Version::V2025_03_26, Version::V2025_06_18, Version::V2025_11_25] {
        let body = answer(&json!({ "protocolVersion": version.as_str(), "capabilities": { "tools": {} } }));
        let (found, body) = initialized(&body, Surfaces::NONE).expect("readable");
        assert_eq!((found, body), (Some(Initialized { version, tells_of_tools: false }), None));
    }
    for version in [json!("2024-11-05"), json!("2026-07-28"), json!("2031-01-01"), json!(7), Value::Null] {
        let body = answer(&json!({ "protocolVersion": version, "capabilities": {} }));
        assert!(initialized(&body, Surfaces::NONE).is_err(), "{version}");
    }
    assert!(initialized(&answer(&json!({})), Surfaces::NONE).is_err());
    assert!(initialized(br#"{"jsonrpc":"2.0","id":1,"result":7}"#, Surfaces::NONE).is_err());
    assert!(initialized(br#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#, Surfaces::NONE).is_err());
    assert!(
        initialized(br#"{"result":{"protocolVersion":"2025-06-18","protocolVersion":"2025-03-26"}}"#, OPEN)
            .is_err()
    );
}

#[test]
fn an_error_or_a_notification_settles_nothing() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
    ] {
        assert_eq!(initialized(body.as_bytes(), Surfaces::NONE), Ok((None, None)));
        assert_eq!(discovered(body.as_bytes(), Surfaces::NONE, 1), Ok(None));
    }
}

#[test]
fn what_is_blocked_is_not_offered() {
    let body = answer(&json!({
        "protocolVersion": "2025-11-25", "capabilities": capabilities(), "instructions": "x", "serverInfo": { "n": 1.0 },
    }));
    let offered = |open| {
        let (settled, found) = initialized(&body, open).expect("readable");
        assert!(settled.is_some_and(|settled| settled.tells_of_tools));
        let found = parsed(&found.expect("changed"));
        assert_eq!((&found["result"]["instructions"], &found["id"]), (&json!("x"), &json!(1)));
        found["result"]["capabilities"].clone()
    };
    let extensions = json!({ "io.modelcontextprotocol/tasks": {}, "io.modelcontextprotocol/ui": { "a": 1 } });
    let tasks = json!({ "requests": { "tools": { "call": {} } } });
    assert_eq!(
        offered(Surfaces::NONE),
        json!({ "tools": { "listChanged": true }, "logging": {}, "tasks": tasks, "extensions": extensions })
    );
    assert_eq!(offered(Surfaces::NONE.with(Surface::Prompts))["prompts"], json!({}));
    assert_eq!(
        offered(OPEN),
        json!({
            "tools": { "listChanged": true }, "logging": {}, "resources": { "subscribe": true }, "prompts": {},
            "completions": {}, "tasks": tasks, "extensions": extensions,
        })
    );
}

#[test]
fn only_versions_that_both_speak_are_discovered() {
    let found = |versions: Value| {
        let body = answer(&json!({
            "supportedVersions": versions, "capabilities": capabilities(), "ttlMs": 3_600_000, "cacheScope": "public",
            "resultType": "complete",
        }));
        discovered(&body, Surfaces::NONE, 500).map(|body| parsed(&body.expect("changed"))["result"].clone())
    };
    let result = found(json!(["2031-01-01", "2026-07-28", "2025-11-25", "2024-11-05"])).expect("readable");
    assert_eq!(result["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
    assert_eq!(
        (&result["ttlMs"], &result["cacheScope"], &result["resultType"]),
        (&json!(500), &json!("private"), &json!("complete"))
    );
    assert_eq!(result["capabilities"].get("resources"), None);
    for versions in [json!(["2031-01-01"]), json!([]), json!("2026-07-28"), json!([7])] {
        assert!(found(versions.clone()).is_err(), "{versions}");
    }
    assert!(discovered(&answer(&json!({ "capabilities": {} })), OPEN, 1).is_err());
    let kept = answer(
        &json!({ "supportedVersions": ["2026-07-28"], "capabilities": {}, "ttlMs": 1, "cacheScope": "private" }),
    );
    assert_eq!(discovered(&kept, OPEN, 1), Ok(None));
}

#[test]
fn a_client_offers_what_is_open() {
    let tasks = Names::new();
    let sent = |body: &str, open| {
        let message = envelope::read(body.as_bytes()).expect("a message");
        let outgoing = Outgoing { open, state: StateGoing::Same, asked: None, tasks: &tasks, trace: None };
        String::from_utf8(upstream_body(body.as_bytes(), &message, &outgoing).into_owned()).expect("utf-8")
    };
    let call = |capabilities: &str| {
        format!(
            r#"{{ "jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{{"n":1.00}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{{capabilities}}}}}}}}}"#
        )
    };
    let extensions = r#""extensions":{"io.modelcontextprotocol/tasks":{"a":[1,2]}}"#;
    let all = format!(r#""elicitation":{{"url":{{}}}},"sampling":{{}},{extensions},"roots":{{}}"#);
    assert_eq!(sent(&call(&all), Surfaces::ALL), call(&all));
    assert_eq!(sent(&call(&all), Surfaces::NONE), call(extensions));
    let only = Surfaces::NONE.with(Surface::Elicitation);
    assert_eq!(sent(&call(&all), only), call(&format!(r#""elicitation":{{"url":{{}}}},{extensions}"#)));
    let initialize = |capabilities: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{{capabilities}}}}}}}"#
        )
    };
    let declared = initialize(r#""tasks":{"list":{}},"roots":{},"sampling":{}"#);
    assert_eq!(sent(&declared, Surfaces::ALL), initialize(r#""roots":{},"sampling":{}"#));
    assert_eq!(sent(&declared, Surfaces::NONE), initialize(""));
    // A notification has none to offer, and an argument of that name is an argument.
    for other in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"capabilities":{"tasks":{}}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","capabilities":{"tasks":1},"arguments":{"tasks":1}}}"#,
    ] {
        assert_eq!(sent(other, Surfaces::NONE), other);
    }
    assert!(matches!(envelope::read(declared.as_bytes()), Ok(Message::Request(_))));
}
