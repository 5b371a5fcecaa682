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
use mcp::handshake::Initialized;
use mcp::sse::{Event, Parser};
use mcp::{Era, Unreadable, code, listen, reply};
use tokio_util::sync::CancellationToken;

use super::incoming::weight;
use super::{Kind, MAX_REPLY, Reply, broken};
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::hold::{Full, Hold};
use crate::metrics;
use crate::refusal::Refusal;
use crate::resume;
use crate::state::GatewayState;
use crate::watch::{self, Lost};

/// Bytes before the answer to a handshake, whose version goes into a header and so must be known first.
const MAX_HANDSHAKE: usize = 1024 * 1024;

/// Bytes of a piece of an event for the client. A longer event is passed on in copies, so that what it was collected in can be
/// used for the next one: memory of that size which comes and goes by the hundred is never quite given back.
const PIECE: usize = 16 * 1024;

const CROWDED: &str = "there is no room for an event of it now: try again in a moment";
const STOPPED: &str =
    "the gateway was stopped before the answer came: whether the request was carried out is not known";

const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

pub(super) async fn relay(
    gateway: &GatewayState,
    head: &response::Parts,
    body: egress::Body,
    view: Arc<GrantView>,
    call: OpenCall,
    reply: Reply,
) -> Result<Response, Refusal> {
    // In a box: what follows would hold it twice, in what it was made of and in what it is.
    let mut events = Box::new(Events::new(gateway.clone(), body, view, call, reply));
    let settled = if events.reply.kind == Kind::Initialize { Box::pin(events.settle()).await? } else { None };
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
    /// What the parser and the event at hand take up.
    hold: Hold,
    view: Arc<GrantView>,
    reply: Reply,
    /// Until the request is answered.
    call: Option<OpenCall>,
    /// Looked at, and not passed on yet.
    ready: VecDeque<Bytes>,
    settled: Option<Initialized>,
    /// Resolves when the grant behind the stream is lost, or its rules change.
    lost: Pin<Box<dyn Future<Output = Lost> + Send>>,
    over: bool,
    /// Cancelled when it must end: soon, if it would not by itself; else only when it took too long.
    stop: CancellationToken,
    /// Counted as open.
    _open: metrics::Open,
}

/// What came next.
enum Next {
    Chunk(Option<Result<http_body::Frame<Bytes>, EgressError>>),
    Lost(Lost),
    Stopped,
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
        let lost = Box::pin(watch::lost(gateway.clone(), Arc::clone(&view)));
        let hold = gateway.budget.hold();
        let stop = if reply.brings_news() { &gateway.stopping } else { &gateway.ending }.clone();
        let open = gateway.parts.metrics.open_stream();
        if !reply.is_request() {
            call.ends_when_left();
        }
        Self {
            gateway,
            upstream,
            parser: Parser::new(MAX_REPLY),
            hold,
            view,
            reply,
            call: Some(call),
            ready: VecDeque::new(),
            settled: None,
            lost,
            over: false,
            stop,
            _open: open,
        }
    }

    /// Reads on until a handshake is answered.
    async fn settle(&mut self) -> Result<Option<Initialized>, Refusal> {
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
            lost = &mut self.lost => Next::Lost(lost),
            () = self.stop.cancelled() => Next::Stopped,
            () = tokio::time::sleep(self.gateway.parts.settings.keep_alive) => Next::Quiet,
        };
        match next {
            Next::Chunk(Some(Ok(frame))) => {
                if let Ok(chunk) = frame.into_data() {
                    if let Some(call) = &mut self.call {
                        call.received(chunk.len());
                    }
                    self.parser.push(&chunk);
                    if self.hold.cover(self.parser.held()) == Err(Full) {
                        return self.fail(CROWDED).await;
                    }
                    // In a box of its own, which an open stream does not hold while it is quiet.
                    Box::pin(self.cut()).await;
                    self.hold.shrink(self.parser.held());
                }
            }
            Next::Chunk(None) => {
                if let Some(event) = self.parser.finish() {
                    Box::pin(self.pass(event)).await;
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
            Next::Lost(Lost::Gone(reason)) => self.finish(Ending::Ended(reason)).await,
            Next::Lost(Lost::Changed(later)) => self.change(later).await,
            Next::Stopped => self.stop().await,
            Next::Quiet => self.ready.push_back(KEEP_ALIVE),
        }
    }

    /// The rules have changed. What was asked for before goes on under the new ones; what brings news ends, and says what it
    /// can about why.
    async fn change(&mut self, later: Arc<GrantView>) {
        if !self.reply.brings_news() {
            self.lost = Box::pin(watch::lost(self.gateway.clone(), Arc::clone(&later)));
            self.view = later;
            return;
        }
        if let Some(changed) = self.reply.tools_changed() {
            self.say(&changed);
        }
        if let (Kind::Listen, Some(id)) = (self.reply.kind, &self.reply.id) {
            let ended = listen::ended(id);
            self.say(&ended);
        }
        self.finish(Ending::Ended("the policy or the server was changed")).await;
    }

    /// Adds an event for the client.
    fn queue(&mut self, event: Bytes) {
        if event.len() <= PIECE {
            return self.ready.push_back(event);
        }
        self.ready.extend(event.chunks(PIECE).map(Bytes::copy_from_slice));
    }

    /// The gateway stops. A client of the legacy era can resume at another gateway, and must not take this for the answer;
    /// one of the modern era is told.
    async fn stop(&mut self) {
        const WHY: &str = "the gateway is being stopped";
        match (self.reply.kind, &self.reply.id) {
            (Kind::Listen, Some(id)) => {
                let ended = listen::ended(id);
                self.say(&ended);
            }
            (_, Some(id)) if self.reply.era() == Era::Modern && self.call.is_some() => {
                let error = reply::error(Some(id), code::INTERNAL_ERROR, STOPPED, None);
                self.say(&error);
            }
            _ => {}
        }
        self.finish(Ending::Ended(WHY)).await;
    }

    /// Adds a message of ours, which has no event id: nobody can resume behind it.
    fn say(&mut self, message: &[u8]) {
        self.ready.push_back([b"event: message\ndata: ", message, b"\n\n"].concat().into());
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
        let Ok(id) = self.id_of(&event) else { return self.fail("its event ids can't be sealed").await };
        let Some(data) = event.data().filter(|data| !data.is_empty()) else {
            return self.queue(event.rewritten(None, id.as_deref()));
        };
        if self.hold.cover(self.parser.held() + weight(data)) == Err(Full) {
            return self.fail(CROWDED).await;
        }
        let passed = match self.reply.pass(&self.gateway, &self.view, data).await {
            Ok(passed) => passed,
            Err(Unreadable(what)) => return self.fail(what).await,
        };
        if passed.dropped {
            return;
        }
        self.settled = self.settled.or(passed.settled);
        let answered = passed.ending.is_some();
        if let (Some(ending), Some(call)) = (passed.ending, self.call.take_if(|_| answered)) {
            call.end(ending).await;
        }
        self.queue(event.rewritten(passed.body.as_deref(), id.as_deref()));
        // A modern stream is that of one request; older ones may bring more.
        self.over |= answered && self.reply.era() == Era::Modern;
    }

    /// The id of an event as the client is told it. The modern era has none that could be resumed from.
    fn id_of(&self, event: &Event) -> Result<Option<Vec<u8>>, ()> {
        match event.id().filter(|id| !id.is_empty()) {
            Some(id) if self.reply.era() == Era::Legacy => {
                resume::seal(&self.gateway, &self.view, id).map(Some).ok_or(())
            }
            _ => Ok(None),
        }
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
            let error = reply::error(Some(id), code::INTERNAL_ERROR, &message, None);
            self.ready.push_back([b"data: ", error.as_slice(), b"\n\n"].concat().into());
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
