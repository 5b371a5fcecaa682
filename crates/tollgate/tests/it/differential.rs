//! What was judged is what a server executes: a hundred thousand odd bodies, read by the gateway's reader and by those of
//! JavaScript and Python. Where they differ, the body must have been refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use json::{Node, Value};
use mcp::{Message, ToolCall};
use serde::Deserialize;
use serde_json::json;

use crate::clients;
use crate::odd::{self, Body, Numbers};

const BODIES: usize = 100_000;
const READERS: [&str; 2] = ["reads", "reads-python"];

/// What a reader in another language reports.
#[derive(Debug, Deserialize)]
struct Report {
    /// Lines of the file.
    bodies: usize,
    /// Bodies that it can read, whatever we say of them.
    readable: usize,
    /// Bodies that we took and it reads otherwise, or not at all.
    different: usize,
    /// The first of these.
    examples: Vec<String>,
}

/// Bodies that can be read in two ways, and two that can't.
fn known() -> Vec<Body> {
    let call = |name: &str, arguments: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{name},"arguments":{arguments}}}}}"#
        )
    };
    let name = r#""name":"run""#;
    let texts = [
        call(r#""name":"run","name":"delete""#, "{}"),
        call(name, r#"{"a":1,"a":2}"#),
        call(name, r#"{"a":1,"\u0061":2}"#),
        call(name, r#"{"a":"\ud800"}"#),
        call(name, r#"{"a":1e400}"#),
        call(name, r#"{"a":9e308}"#),
        format!("\u{feff}{}", call(name, "{}")),
        call(name, r#"{"a":-0,"b":1.0,"c":9007199254740993,"d":null}"#),
        call(name, "{}"),
    ];
    texts.into_iter().map(|text| Body { bytes: text.into_bytes(), oddities: Vec::new() }).collect()
}

/// What was judged, in a form that every parser reads alike: numbers as `{"n": text}`, objects as `{"o": [[key, value]]}`.
fn tagged(value: &Value<'_>) -> serde_json::Value {
    match &value.node {
        Node::Null => serde_json::Value::Null,
        Node::Bool(truth) => json!(truth),
        Node::String(text) => json!(text),
        Node::Number(number) => json!({ "n": number.text() }),
        Node::Array(elements) => elements.iter().map(tagged).collect(),
        Node::Object(object) => {
            let members = object.members().iter().map(|member| json!([member.key, tagged(&member.value)]));
            json!({ "o": members.collect::<Vec<_>>() })
        }
    }
}

/// Our reading of a body; nothing where it is refused.
fn reading(body: &[u8]) -> Option<serde_json::Value> {
    let id = |id: &mcp::Id| match id {
        mcp::Id::Number(number) => json!({ "n": number.to_string() }),
        mcp::Id::Text(text) => json!(text),
    };
    match mcp::envelope::read(body).ok()? {
        Message::Request(request) if request.method == "tools/call" => {
            let call = ToolCall::read(&request).ok()?;
            let arguments = call.arguments.map(tagged);
            Some(
                json!({ "id": id(&request.id), "method": "tools/call", "name": call.name, "arguments": arguments }),
            )
        }
        Message::Request(request) => Some(json!({ "id": id(&request.id), "method": request.method })),
        Message::Notification(notification) => Some(json!({ "method": notification.method })),
        Message::Response(response) => Some(json!({ "id": id(&response.id) })),
    }
}

/// A reading that is lax on purpose: the first of two equal keys, zero for a number out of range, a mark at the front.
fn lax_reading(body: &[u8]) -> Option<serde_json::Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let (message, _) = json::parse_all(body, json::MAX_DEPTH).ok()?;
    let params = message.get("params")?;
    Some(json!({
        "id": tagged(message.get("id")?), "method": message.get("method")?.as_str()?,
        "name": params.get("name")?.as_str()?, "arguments": params.get("arguments").map(tagged),
    }))
}

/// Writes a line for each body: the body in base64, and its reading or `-`.
fn write(
    file: &str,
    bodies: &[Body],
    reading: impl Fn(&[u8]) -> Option<serde_json::Value>,
) -> (PathBuf, usize) {
    let mut lines = String::new();
    let mut taken = 0;
    for body in bodies {
        let read = reading(&body.bytes);
        taken += usize::from(read.is_some());
        let read = read.map_or_else(|| "-".to_owned(), |read| read.to_string());
        writeln!(lines, "{} {read}", STANDARD.encode(&body.bytes)).unwrap();
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(&path, lines).unwrap();
    (path, taken)
}

async fn report(reader: &str, file: &Path) -> Report {
    serde_json::from_str(&clients::run(reader, &json!({ "file": file })).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_would_execute_was_judged_or_refused() {
    let mut numbers = Numbers::new(20);
    let mut bodies = known();
    bodies.extend(std::iter::repeat_with(|| odd::body(&mut numbers)).take(BODIES));

    let mut seen = BTreeMap::new();
    for oddity in bodies.iter().flat_map(|body| &body.oddities) {
        *seen.entry(*oddity).or_insert(0_usize) += 1;
    }
    assert!(odd::ALL.iter().all(|oddity| seen.get(oddity).is_some_and(|count| *count > 500)), "{seen:?}");

    let (file, taken) = write("readings", &bodies, reading);
    assert!(taken > BODIES / 4 && taken < BODIES * 3 / 4, "a fair share is taken: {taken}");
    let reports = tokio::join!(report(READERS[0], &file), report(READERS[1], &file));
    for (reader, report) in READERS.iter().zip([reports.0, reports.1]) {
        assert_eq!(report.bodies, bodies.len(), "{reader}");
        assert!(report.readable > taken, "{reader} reads more than is taken: {}", report.readable);
        assert_eq!(report.different, 0, "{reader}: {:#?}", report.examples);
    }
}

/// The comparison can fail: each reader finds what a lax reading gets wrong, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_lax_reading_would_be_found() {
    let (file, taken) = write("lax-readings", &known(), lax_reading);
    assert_eq!(taken, 9);
    for reader in READERS {
        let report = report(reader, &file).await;
        // Two equal keys, three times; half a pair; two numbers out of range.
        assert_eq!(report.different, 6, "{reader}: {report:#?}");
    }
}
