//! What is held of any bytes on the wire. Run by the fuzz targets without end, and by the tests of `mcp` on the corpus and
//! near it.

use mcp::skim::{Seen, Skim};
use mcp::sse::{Event, Parser, TooLarge};
use mcp::{Id, Message, ToolCall};
use serde_json::Value;

/// The envelope: what it takes, another reader takes too and finds the same in it; what it refuses, it can answer.
pub fn envelope(data: &[u8]) {
    skim(data);
    let message = match mcp::envelope::read(data) {
        Ok(message) => message,
        Err(refused) => return answers(&refused),
    };
    let other: Value = serde_json::from_slice(data).expect("what is accepted is JSON");
    let text = |key: &str| other.get(key).and_then(Value::as_str);
    match &message {
        Message::Request(request) => {
            assert_eq!(Some(request.method.as_ref()), text("method"));
            assert_eq!(request.id.to_json(), other["id"]);
            match ToolCall::read(request) {
                Err(refused) => answers(&refused),
                Ok(call) => {
                    assert_eq!(Some(call.name), other.pointer("/params/name").and_then(Value::as_str));
                    let theirs = other.pointer("/params/arguments").filter(|arguments| !arguments.is_null());
                    assert_eq!(call.arguments.is_some(), theirs.is_some());
                    assert!(call.arguments.zip(theirs).is_none_or(|(ours, theirs)| alike(ours, theirs)));
                }
            }
        }
        Message::Notification(notification) => {
            assert_eq!(Some(notification.method.as_ref()), text("method"));
            assert!(other.get("id").is_none());
        }
        Message::Response(response) => {
            assert_eq!(response.id.to_json(), other["id"]);
            let (key, value) = match &response.outcome {
                Ok(result) => ("result", result),
                Err(error) => ("error", error),
            };
            assert!(text("method").is_none() && alike(value, &other[key]));
        }
    }
}

/// What is plainly a result is one to every reader, and to one that gets it byte by byte.
fn skim(data: &[u8]) {
    let (mut whole, mut pieces) = (Skim::default(), Skim::default());
    let seen = data.chunks(1).map(|piece| pieces.push(piece)).last().unwrap_or(Seen::Nothing);
    assert_eq!(seen, whole.push(data));
    call(data);
    if !mcp::skim::is_result(data) {
        return;
    }
    assert_eq!(seen, Seen::Result);
    if let Ok(read) = serde_json::from_slice::<Value>(data) {
        let members = read.as_object().expect("an object");
        assert!(members.contains_key("result"));
        assert!(members.keys().all(|key| ["jsonrpc", "id", "result"].contains(&key.as_str())));
    }
}

/// What is taken for the end of a call says nothing else to any reader.
fn call(data: &[u8]) {
    let mut skim = Skim::of_call(Id::Number(1));
    let seen = data.chunks(1).map(|piece| skim.push(piece)).last().unwrap_or(Seen::Nothing);
    assert_eq!(seen, Skim::of_call(Id::Number(1)).push(data));
    if let (Seen::Result, true, Ok(read)) = (seen, skim.is_whole(), serde_json::from_slice::<Value>(data)) {
        let result = &read["result"];
        assert!(read.get("id").is_none_or(|id| *id == 1) && read.get("error").is_none());
        assert!(result.get("resultType").is_none_or(|kind| kind == "complete"));
        assert!(["inputRequests", "requestState", "taskId"].iter().all(|key| result.get(key).is_none()));
        assert_eq!(skim.is_error(), result["isError"] == true);
    }
}

fn answers(refused: &mcp::Malformed) {
    let body: Value = serde_json::from_slice(&refused.body()).expect("an answer is JSON");
    assert!(body["error"]["code"].is_i64() && body["error"]["message"].is_string());
}

/// Whether both read the same value. Fractions are read by the other to within its own rounding.
fn alike(ours: &json::Value<'_>, theirs: &Value) -> bool {
    match (&ours.node, theirs) {
        (json::Node::Null, Value::Null) => true,
        (json::Node::Bool(a), Value::Bool(b)) => a == b,
        (json::Node::String(a), Value::String(b)) => a == b,
        (json::Node::Number(a), Value::Number(b)) => {
            match (b.is_f64(), a.text().parse::<f64>(), b.as_f64()) {
                (false, ..) => json::Number::parse(&b.to_string()).is_some_and(|b| a.compare(&b).is_eq()),
                (true, Ok(a), Some(b)) => (a - b).abs() <= a.abs() * 1e-12 + f64::MIN_POSITIVE,
                _ => false,
            }
        }
        (json::Node::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (json::Node::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.members().iter().all(|member| {
                    b.get(member.key.as_ref()).is_some_and(|theirs| alike(&member.value, theirs))
                })
        }
        _ => false,
    }
}

/// Event streams: cut the same however they are chunked and wherever the cap is, no byte changed, the events those that a
/// client sees, and other data is seen in the place of theirs.
pub fn sse(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else { return };
    let chunk = usize::from(first % 16) + 1;
    let small = usize::from(first / 16) * 4 + 1;
    assert_eq!(events(small, stream.chunks(chunk)), events(small, [stream]));
    let (whole, stopped) = events(usize::MAX, [stream]);
    assert_eq!(stopped, None);
    assert_eq!(events(usize::MAX, stream.chunks(chunk)), (whole.clone(), None));
    let raw: Vec<u8> = whole.iter().flat_map(|event| event.raw().to_vec()).collect();
    assert!(stream.starts_with(&raw));
    let seen = seen_by_client(stream);
    let found: Vec<&[u8]> = whole.iter().filter_map(|event| event.data().map(AsRef::as_ref)).collect();
    assert_eq!(found, seen);
    let rewritten: Vec<u8> = whole.iter().flat_map(|event| event.with_data(b"x\ny").to_vec()).collect();
    assert_eq!(seen_by_client(&rewritten), vec![b"x\ny"; seen.len()]);
}

/// The events of a stream that comes in these chunks, and what stopped it.
fn events<'a>(max: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Option<TooLarge>) {
    let mut parser = Parser::new(max);
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        loop {
            match parser.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(stopped) => return (events, Some(stopped)),
            }
        }
    }
    events.extend(parser.finish());
    (events, None)
}

/// The data of the events that a reader of the standard finds, written for clarity alone.
fn seen_by_client(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let (mut seen, mut data, mut line) = (Vec::new(), Vec::new(), Vec::new());
    let mut before = b' ';
    for byte in stream {
        let second_half = std::mem::replace(&mut before, *byte) == b'\r' && *byte == b'\n';
        match byte {
            b'\n' if second_half => {}
            b'\n' | b'\r' if line.is_empty() => {
                let lines = std::mem::take(&mut data);
                seen.extend((!lines.is_empty()).then(|| lines.join(&b'\n')));
            }
            b'\n' | b'\r' => {
                let line = std::mem::take(&mut line);
                match line.strip_prefix(b"data") {
                    Some([]) => data.push(Vec::new()),
                    Some([b':', b' ', value @ ..] | [b':', value @ ..]) => data.push(value.to_vec()),
                    _ => {}
                }
            }
            _ => line.push(*byte),
        }
    }
    seen
}
