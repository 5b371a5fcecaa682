//! `initialize` and `server/discover`.

use mcp::handshake::{discovered, initialized};
use mcp::{Message, Surfaces, Version, envelope, upstream_body};
use serde_json::{Value, json};

use crate::parsed;

const OPEN: Surfaces = Surfaces { resources: true, prompts: true, completions: true };

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
        let found = initialized(&body, Surfaces::default()).expect("readable").expect("a result");
        assert_eq!((found.version, found.body), (version, None));
    }
    for version in [json!("2024-11-05"), json!("2026-07-28"), json!("2031-01-01"), json!(7), Value::Null] {
        let body = answer(&json!({ "protocolVersion": version, "capabilities": {} }));
        assert!(initialized(&body, Surfaces::default()).is_err(), "{version}");
    }
    assert!(initialized(&answer(&json!({})), Surfaces::default()).is_err());
    assert!(initialized(br#"{"jsonrpc":"2.0","id":1,"result":7}"#, Surfaces::default()).is_err());
    assert!(initialized(br#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#, Surfaces::default()).is_err());
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
        assert_eq!(initialized(body.as_bytes(), Surfaces::default()), Ok(None));
        assert_eq!(discovered(body.as_bytes(), Surfaces::default(), 1), Ok(None));
    }
}

#[test]
fn what_is_blocked_is_not_offered() {
    let body = answer(&json!({
        "protocolVersion": "2025-11-25", "capabilities": capabilities(), "instructions": "x", "serverInfo": { "n": 1.0 },
    }));
    let offered = |open| {
        let found = initialized(&body, open).expect("readable").expect("a result").body.expect("changed");
        let found = parsed(&found);
        assert_eq!((&found["result"]["instructions"], &found["id"]), (&json!("x"), &json!(1)));
        found["result"]["capabilities"].clone()
    };
    let extensions = json!({ "io.modelcontextprotocol/ui": { "a": 1 } });
    assert_eq!(
        offered(Surfaces::default()),
        json!({ "tools": { "listChanged": true }, "logging": {}, "extensions": extensions })
    );
    assert_eq!(
        offered(OPEN),
        json!({
            "tools": { "listChanged": true }, "logging": {}, "resources": { "subscribe": true }, "prompts": {},
            "completions": {}, "extensions": extensions,
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
        discovered(&body, Surfaces::default(), 500)
            .map(|body| parsed(&body.expect("changed"))["result"].clone())
    };
    let result = found(json!(["2031-01-01", "2026-07-28", "2025-11-25", "2024-11-05"])).expect("readable");
    assert_eq!(result["supportedVersions"], json!(["2026-07-28", "2025-11-25"]));
    assert_eq!(
        (&result["ttlMs"], &result["cacheScope"], &result["resultType"]),
        (&json!(500), &json!("private"), &json!("complete"))
    );
    assert_eq!(result["capabilities"]["extensions"], json!({ "io.modelcontextprotocol/ui": { "a": 1 } }));
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
fn a_client_offers_no_tasks_upstream() {
    let sent = |body: &str| {
        let message = envelope::read(body.as_bytes()).expect("a message");
        String::from_utf8(upstream_body(body.as_bytes(), &message, None).into_owned()).expect("utf-8")
    };
    let call = |extensions: &str| {
        format!(
            r#"{{ "jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"x","arguments":{{"n":1.00}},"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{"elicitation":{{}},"extensions":{{{extensions}}}}}}}}}}}"#
        )
    };
    let (ui, tasks) =
        (r#""io.modelcontextprotocol/ui":{}"#, r#""io.modelcontextprotocol/tasks":{"a":[1,2]}"#);
    assert_eq!(sent(&call(&format!("{ui},{tasks}"))), call(ui));
    assert_eq!(sent(&call(&format!("{tasks},{ui}"))), call(ui));
    assert_eq!(sent(&call(tasks)), call(""));
    assert_eq!(sent(&call(ui)), call(ui));
    let initialize = |capabilities: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{{capabilities}}}}}}}"#
        )
    };
    assert_eq!(sent(&initialize(r#""tasks":{"list":{}},"roots":{}"#)), initialize(r#""roots":{}"#));
    let notification =
        r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"capabilities":{"tasks":{}}}}"#;
    assert_eq!(sent(notification), notification);
    // An argument of that name is an argument.
    let argument = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x","capabilities":{"tasks":1},"arguments":{"tasks":1}}}"#;
    assert_eq!(sent(argument), argument);
    assert!(matches!(envelope::read(argument.as_bytes()), Ok(Message::Request(_))));
}
