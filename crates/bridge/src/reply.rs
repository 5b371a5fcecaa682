//! Responses: JSON where the server answers soon and says nothing before, else an event stream. On the streams of a session,
//! events have ids, by which they are resumed.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use mcp::{Id, Request, Version};

use crate::board::{Original, Reader};
use crate::refusal::Refusal;
use crate::streams;

/// How long an answer is waited for before a stream is begun, so that nobody takes the silence for a fault.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// How long a stream may be quiet before a comment is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a client waits before it resumes a stream.
const RETRY: Duration = Duration::from_secs(1);
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What a request is known by to its sender.
pub(crate) fn original(request: &Request<'_>) -> Original {
    Original { id: request.id.clone(), progress: request.meta("progressToken").and_then(Id::read) }
}

/// Whether the client reads event streams.
pub(crate) fn streams(head: &HeaderMap) -> bool {
    let accepted = head.get_all(ACCEPT).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    accepted
        .into_iter()
        .any(|value: Cow<'_, str>| value.contains("text/event-stream") || value.contains("*/*"))
}

/// The answer to a request of a session.
pub(crate) async fn in_session(mut reader: Reader, version: Version, streams: bool) -> Response {
    if !streams {
        return match answer(&mut reader).await {
            Some(line) => as_json(line).into_response(),
            // Somebody else reads on.
            None => Refusal::Interrupted.response(None),
        };
    }
    if version >= Version::V2025_11_25 {
        return reading(reader, true);
    }
    match tokio::time::timeout(SOON, reader.next()).await {
        Ok(Some(event)) if event.last => as_json(event.line).into_response(),
        Ok(first) => events(stream::iter(first.as_ref().map(numbered)).chain(rest(reader))),
        Err(_) => reading(reader, false),
    }
}

/// The answer on a stream of a session; nothing if there is none.
pub(crate) async fn answer(reader: &mut Reader) -> Option<Bytes> {
    loop {
        let event = reader.next().await?;
        if event.last {
            return Some(event.line);
        }
    }
}

/// A stream of a session, from where its reader is. `primed`: begun with an empty event, which says where that is. Clients of
/// revisions before 2025-11-25 don't know of such.
pub(crate) fn reading(reader: Reader, primed: bool) -> Response {
    let opening =
        primed.then(|| format!("id: {}\nretry: {}\ndata: \n\n", reader.id(), RETRY.as_millis()).into());
    events(stream::iter(opening).chain(rest(reader)))
}

fn rest(reader: Reader) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(reader, async |mut reader| Some((numbered(&reader.next().await?), reader)))
}

fn numbered(sent: &streams::Event) -> Bytes {
    [format!("id: {}\n", sent.id).as_bytes(), &event(&sent.line)].concat().into()
}

/// A message, which is one line, as an event.
pub(crate) fn event(line: &[u8]) -> Bytes {
    [b"event: message\ndata: ", line.trim_ascii_end(), b"\n\n"].concat().into()
}

/// A message as JSON.
pub(crate) fn as_json(line: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], line)
}

/// A response of events, with comments where it is quiet.
pub(crate) fn events(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let body = stream::unfold(Box::pin(events), async |mut events| {
        let next = tokio::time::timeout(KEEP_ALIVE, events.next()).await;
        let bytes = next.unwrap_or(Some(Bytes::from_static(b":\n\n")))?;
        Some((Ok::<_, Infallible>(bytes), events))
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(body)).into_response()
}
