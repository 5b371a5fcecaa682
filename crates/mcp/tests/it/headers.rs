//! Headers against the body.

use mcp::Version;
use mcp::envelope::read;
use mcp::headers::{check, check_bodiless};
use serde::Deserialize;
use serde_json::Value;

use crate::{headers, parsed, vectors};

#[derive(Deserialize)]
struct Vector {
    name: String,
    headers: Vec<(String, String)>,
    body: Value,
    session: Option<String>,
    version: Option<String>,
    refused: Option<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    code: i32,
    reason: String,
    #[serde(default = "first_id")]
    id: Value,
    data: Option<Value>,
}

fn first_id() -> Value {
    1.into()
}

#[test]
fn vectors_hold() {
    for vector in vectors::<Vector>(include_str!("../vectors/headers.json")) {
        let body = vector.body.to_string();
        let message = read(body.as_bytes()).expect(&vector.name);
        let session = vector.session.as_deref().map(|version| Version::parse(version).expect("version"));
        match (check(&headers(&vector.headers), &message, session), vector.version, vector.refused) {
            (Ok(found), Some(expected), None) => assert_eq!(found.as_str(), expected, "{}", vector.name),
            (Err(found), None, Some(expected)) => {
                assert_eq!(found.http_status, 400, "{}", vector.name);
                assert_eq!(found.reason, expected.reason, "{}", vector.name);
                let body = parsed(&found.body());
                assert_eq!(body["error"]["code"], expected.code, "{}", vector.name);
                assert_eq!(body["id"], expected.id, "{}", vector.name);
                assert_eq!(body["error"].get("data"), expected.data.as_ref(), "{}", vector.name);
            }
            (found, _, _) => panic!("{}: {found:?}", vector.name),
        }
    }
}

#[test]
fn get_and_delete_are_of_the_legacy_era() {
    let version = |pairs: &[(&str, &str)], session| check_bodiless(&headers(pairs), session);
    assert_eq!(version(&[], None), Ok(Version::V2025_03_26));
    assert_eq!(version(&[], Some(Version::V2025_11_25)), Ok(Version::V2025_11_25));
    assert_eq!(version(&[("mcp-protocol-version", "2025-06-18")], None), Ok(Version::V2025_06_18));
    let modern = version(&[("mcp-protocol-version", "2026-07-28")], None).expect_err("no GET");
    assert_eq!(modern.http_status, 405);
    let unknown = version(&[("mcp-protocol-version", "2024-11-05")], None).expect_err("unknown");
    assert_eq!((unknown.http_status.as_u16(), unknown.code), (400, -32022));
    for name in ["authorization", "mcp-session-id", "last-event-id", "host", "origin"] {
        let repeated = version(&[(name, "a"), (name, "a")], None).expect_err(name);
        assert_eq!((repeated.http_status.as_u16(), repeated.reason), (400, "repeated header"));
    }
}
