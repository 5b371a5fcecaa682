//! The response to a request: JSON where the server answers soon and says nothing before, else an event stream.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, StatusCode};
use mcp::{Era, Id, code};
use tokio::sync::mpsc;

use crate::board::Exchange;
use crate::refusal::Refusal;
use crate::shared::Partner;
use crate::translate::{self, Answer};

/// How long an answer is waited for before a stream is begun, so that nobody takes the silence for a fault.
const SOON: Duration = Duration::from_secs(10);
/// How long a stream may be quiet before a comment is sent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// A request that is put to the server, and what becomes of its answer.
pub(crate) struct Reply {
    pub exchange: Exchange,
    /// Of the request, as its sender knows it.
    pub id: Id,
    pub era: Era,
    /// The client reads event streams.
    pub streams: bool,
    /// How the answer is translated; none: it passes as it is.
    pub translate: Option<Answer>,
    /// Who learns from the answer, which lists tools.
    pub lists: Option<Partner>,
}

/// What comes next of a reply.
enum Next {
    Note(Bytes),
    Answer(Bytes),
}

impl Reply {
    /// Waits for what comes first, and answers with that or with a stream.
    pub async fn response(mut self) -> Response {
        if !self.streams {
            loop {
                if let Next::Answer(line) = self.next().await {
                    return self.json(line);
                }
            }
        }
        match tokio::time::timeout(SOON, self.next()).await {
            Ok(Next::Answer(line)) => self.json(line),
            Ok(Next::Note(line)) => self.stream(Some(line)),
            Err(_) => self.stream(None),
        }
    }

    /// What the server says next. What it said before its answer comes before it.
    async fn next(&mut self) -> Next {
        tokio::select! {
            biased;
            // An older server writes its log to everybody; the newer revision has whoever wants it say so.
            Some(note) = self.exchange.notes.recv() => {
                if self.translate.is_some() && !translate::is_progress(&note) {
                    return Box::pin(self.next()).await;
                }
                Next::Note(note)
            }
            answer = &mut self.exchange.answer => {
                let Ok(line) = answer else {
                    let over = self.exchange.broken_off().await;
                    return Next::Answer(Refusal::from(over).body(Some(&self.id)).into());
                };
                if let Some(partner) = &self.lists {
                    partner.learn(&line);
                }
                Next::Answer(self.translate.map_or(line.clone(), |kind| translate::answer(&line, kind)))
            }
        }
    }

    fn json(&self, line: Bytes) -> Response {
        let status = status(&line, self.era);
        (status, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))], line).into_response()
    }

    fn stream(self, first: Option<Bytes>) -> Response {
        let rest = stream::unfold(Some(self), async |reply| {
            let mut reply = reply?;
            match reply.next().await {
                Next::Note(line) => Some((line, Some(reply))),
                Next::Answer(line) => Some((line, None)),
            }
        });
        events(stream::iter(first).chain(rest))
    }
}

/// The status that the newer revision wants beside some errors.
fn status(line: &Bytes, era: Era) -> StatusCode {
    if era == Era::Legacy {
        return StatusCode::OK;
    }
    let message: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
    match message["error"]["code"].as_i64().and_then(|code| i32::try_from(code).ok()) {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code::HEADER_MISMATCH | code::MISSING_CLIENT_CAPABILITY | code::UNSUPPORTED_VERSION) => {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    }
}

/// The stream that the client of a session listens on.
pub(crate) fn listening(lines: mpsc::Receiver<Bytes>) -> Response {
    events(stream::unfold(lines, async |mut lines| Some((lines.recv().await?, lines))))
}

fn events(lines: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    let events = lines.map(|line| {
        let text = String::from_utf8_lossy(&line);
        Ok::<_, Infallible>(Event::default().event("message").data(text.trim_end_matches(['\r', '\n'])))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}
