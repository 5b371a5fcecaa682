//! Which headers pass.

use mcp::Version;
use mcp::headers::{to_client, to_upstream};

use crate::headers;

/// Everything a client might send, with what must stay here.
const SENT: &[(&str, &str)] = &[
    ("accept", "application/json"),
    ("accept", "text/event-stream"),
    ("authorization", "Bearer secret"),
    ("connection", "keep-alive"),
    ("content-length", "3"),
    ("content-type", "application/json"),
    ("cookie", "a=b"),
    ("expect", "100-continue"),
    ("forwarded", "for=10.0.0.1"),
    ("host", "gateway"),
    ("keep-alive", "1"),
    ("last-event-id", "7"),
    ("mcp-method", "tools/call"),
    ("mcp-name", "x"),
    ("mcp-param-region", "eu"),
    ("mcp-protocol-version", "2026-07-28"),
    ("mcp-session-id", "s"),
    ("origin", "https://a.example"),
    ("proxy-authorization", "Basic x"),
    ("referer", "https://a.example"),
    ("te", "trailers"),
    ("traceparent", "00-x"),
    ("tracestate", "a=1"),
    ("tracestate", "b=2"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "h2c"),
    ("user-agent", "probe"),
    ("x-api-key", "secret"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
];

fn pairs(headers: &http::HeaderMap) -> Vec<(&str, &str)> {
    let mut pairs: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
    pairs.sort_unstable();
    pairs
}

#[test]
fn only_named_headers_go_upstream() {
    let common = [
        ("accept", "application/json"),
        ("accept", "text/event-stream"),
        ("content-type", "application/json"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "x"),
        ("mcp-protocol-version", "2026-07-28"),
        ("traceparent", "00-x"),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
    ];
    let with = |extra| {
        let mut expected = common.to_vec();
        expected.push(extra);
        expected.sort_unstable();
        expected
    };
    let sent = headers(SENT);
    assert_eq!(pairs(&to_upstream(&sent, Version::V2026_07_28)), with(("mcp-param-region", "eu")));
    assert_eq!(pairs(&to_upstream(&sent, Version::V2025_11_25)), with(("last-event-id", "7")));
}

#[test]
fn only_named_headers_reach_the_client() {
    let sent = headers(&[
        ("access-control-allow-origin", "*"),
        ("alt-svc", "h3"),
        ("cache-control", "no-cache"),
        ("content-length", "3"),
        ("content-type", "text/event-stream"),
        ("location", "https://b.example"),
        ("mcp-session-id", "upstream"),
        ("retry-after", "5"),
        ("server", "x"),
        ("set-cookie", "a=b"),
        ("strict-transport-security", "max-age=1"),
        ("transfer-encoding", "chunked"),
        ("www-authenticate", "Bearer"),
        ("x-powered-by", "x"),
    ]);
    let expected =
        [("cache-control", "no-cache"), ("content-type", "text/event-stream"), ("retry-after", "5")];
    assert_eq!(pairs(&to_client(&sent)), expected);
}
