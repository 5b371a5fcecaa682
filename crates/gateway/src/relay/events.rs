//! Answers that are event streams: cut into events, each looked at and passed on at once, with a comment where it stays
//! quiet, for as long as the grant behind them works.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use egress::EgressError;
use futures_util::stream;
use http::response;
use http_body_util::BodyExt;
use mcp::sse::{Event, Parser};
use mcp::{Era, Unreadable, Version, code, reply};

use super::{Kind, MAX_REPLY, Reply, broken};
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::GatewayState;
use crate::watch;

/// Bytes before the answer to a handshake, whose version goes into a header and so must be known first.
const MAX_HANDSHAKE: usize = 1024 * 1024;

const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

pub(super) async fn relay(
    gateway: &GatewayState,
    head: &response::Parts,
    body: egress::Body,
    view: Arc<GrantView>,
    call: OpenCall,
    reply: Reply,
) -> Result<Response, Refusal> {
    let mut events = Events::new(gateway.clone(), body, view, call, reply);
    let settled = if events.reply.kind == Kind::Initialize { events.settle().await? } else { None };
    let session = events.reply.session_header(gateway, &events.view, &head.headers, settled);
    let stream = stream::unfold(events, async |mut events| Some((events.next().await?, events)));
    let mut response = super::response(head, session, Body::from_stream(stream));
    super::unbuffered(&mut response);
    Ok(response)
}

/// A stream on its way through.
struct Events {
    gateway: GatewayState,
    upstream: egress::Body,
    parser: Parser,
    view: Arc<GrantView>,
    reply: Reply,
    /// Until the request is answered.
    call: Option<OpenCall>,
    /// Looked at, and not passed on yet.
    ready: VecDeque<Bytes>,
    settled: Option<Version>,
    /// Resolves when the grant behind the stream is lost.
    lost: Pin<Box<dyn Future<Output = &'static str> + Send>>,
    over: bool,
}

/// What came next.
enum Next {
    Chunk(Option<Result<http_body::Frame<Bytes>, EgressError>>),
    Lost(&'static str),
    Quiet,
}

impl Events {
    fn new(
        gateway: GatewayState,
        upstream: egress::Body,
        view: Arc<GrantView>,
        mut call: OpenCall,
        reply: Reply,
    ) -> Self {
        let lost = Box::pin(watch::lost(gateway.clone(), Arc::clone(&view), reply.depends()));
        if !reply.is_request() {
            call.ends_when_left();
        }
        Self {
            gateway,
            upstream,
            parser: Parser::new(MAX_REPLY),
            view,
            reply,
            call: Some(call),
            ready: VecDeque::new(),
            settled: None,
            lost,
            over: false,
        }
    }

    /// Reads on until a handshake is answered.
    async fn settle(&mut self) -> Result<Option<Version>, Refusal> {
        while !self.over && self.call.is_some() {
            self.read().await;
            if self.ready.iter().map(Bytes::len).sum::<usize>() > MAX_HANDSHAKE
                && let Some(call) = self.call.take()
            {
                broken(call, "nothing of it answers the handshake").await?;
            }
        }
        Ok(self.settled)
    }

    /// The next piece for the client; none at the end. A stream that broke ends as cleanly as one that was ended: what
    /// happened is said in it, or can't be said.
    async fn next(&mut self) -> Option<Result<Bytes, Infallible>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(Ok(piece));
            }
            if self.over {
                return None;
            }
            self.read().await;
        }
    }

    /// Waits for what comes next, and leaves what it means for the client in `ready`.
    async fn read(&mut self) {
        let next = tokio::select! {
            biased;
            chunk = self.upstream.frame() => Next::Chunk(chunk),
            reason = &mut self.lost => Next::Lost(reason),
            () = self.gateway.stopping.cancelled() => Next::Lost("the gateway is being stopped"),
            () = tokio::time::sleep(self.gateway.parts.settings.keep_alive) => Next::Quiet,
        };
        match next {
            Next::Chunk(Some(Ok(frame))) => {
                if let Ok(chunk) = frame.into_data() {
                    if let Some(call) = &mut self.call {
                        call.received(chunk.len());
                    }
                    self.parser.push(&chunk);
                    self.cut().await;
                }
            }
            Next::Chunk(None) => {
                if let Some(event) = self.parser.finish() {
                    self.pass(event).await;
                }
                self.finish(self.unanswered()).await;
            }
            Next::Chunk(Some(Err(EgressError::Timeout(_)))) if !self.reply.is_request() => {
                self.finish(Ending::Ended("the upstream was silent for too long")).await;
            }
            Next::Chunk(Some(Err(error))) => {
                tracing::warn!(server = %self.view.server, %error, "an upstream's stream broke");
                self.fail("the connection broke before the answer was complete").await;
            }
            Next::Lost(reason) => self.finish(Ending::Ended(reason)).await,
            Next::Quiet => self.ready.push_back(KEEP_ALIVE),
        }
    }

    /// Takes every whole event out of what has come.
    async fn cut(&mut self) {
        while !self.over {
            match self.parser.next_event() {
                Ok(Some(event)) => self.pass(event).await,
                Ok(None) => return,
                Err(_) => self.fail("an event of it is longer than 16 MiB").await,
            }
        }
    }

    async fn pass(&mut self, event: Event) {
        if event.kind() == b"endpoint" {
            // The transport of 2024-11-05: it would lead the client around the gateway.
            return self.fail("it speaks a transport that is not relayed").await;
        }
        let Some(data) = event.data().filter(|data| !data.is_empty()) else {
            self.ready.push_back(event.raw().clone());
            return;
        };
        let passed = match self.reply.pass(&self.gateway, &self.view, data) {
            Ok(passed) => passed,
            Err(Unreadable(what)) => return self.fail(what).await,
        };
        if passed.dropped {
            tracing::warn!(server = %self.view.server, "a request of the upstream was dropped: its revision has none");
            return;
        }
        self.settled = self.settled.or(passed.settled);
        let answered = passed.ending.is_some();
        if let (Some(ending), Some(call)) = (passed.ending, self.call.take_if(|_| answered)) {
            call.end(ending).await;
        }
        self.ready.push_back(passed.body.map_or_else(|| event.raw().clone(), |body| event.with_data(&body)));
        // A modern stream is that of one request; older ones may bring more.
        self.over |= answered && self.reply.era() == Era::Modern;
    }

    /// The ending of a stream that ended without an answer. In the legacy era it may follow on another stream.
    fn unanswered(&self) -> Ending {
        match (self.reply.kind, self.reply.era()) {
            (Kind::Stream, _) => Ending::Done,
            (_, Era::Legacy) => {
                Ending::Ended("the stream ended before the answer, which may follow on another")
            }
            (_, Era::Modern) => Ending::Broken("the stream ended before the answer"),
        }
    }

    /// Ends the stream with an error in the place of what can't be relayed, if somebody waits for an answer.
    async fn fail(&mut self, what: &'static str) {
        if let (Some(id), true) = (&self.reply.id, self.call.is_some()) {
            let message = Refusal::UpstreamAnswer(what).to_string();
            let mut event = b"data: ".to_vec();
            event.extend(reply::error(Some(id), code::INTERNAL_ERROR, &message, None));
            event.extend_from_slice(b"\n\n");
            self.ready.push_back(event.into());
        }
        self.finish(Ending::Broken(what)).await;
    }

    async fn finish(&mut self, ending: Ending) {
        self.over = true;
        if let Some(call) = self.call.take() {
            call.end(ending).await;
        }
    }
}
