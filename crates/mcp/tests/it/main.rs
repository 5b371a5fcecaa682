//! The wire, held to vectors (`tests/vectors`) and to properties.

mod call;
mod content;
mod corpus;
mod definition;
mod envelope;
mod forward;
mod handshake;
mod headers;
mod listen;
mod lists;
mod methods;
mod param;
mod reply;
mod server;
mod skim;
mod sse;
mod state;
mod tasks;
mod unknown;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// A vector file.
fn vectors<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    let vectors: Vec<T> = serde_json::from_str(text).expect("vectors");
    assert!(!vectors.is_empty());
    vectors
}

fn headers<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::try_from(name.as_ref()).expect("header name");
        headers.append(name, HeaderValue::from_bytes(value.as_ref().as_bytes()).expect("header value"));
    }
    headers
}

/// A modern request without parameters of its own.
fn modern(method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    legacy(method, &params)
}

fn legacy(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn request(body: &str) -> mcp::Request<'_> {
    match mcp::envelope::read(body.as_bytes()) {
        Ok(mcp::Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).expect("JSON")
}
