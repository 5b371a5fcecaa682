//! Answers of one JSON message. What may have to be rewritten is read whole, up to a bound; the rest is streamed through,
//! and only its last piece waits until the call is closed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::vec;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use egress::EgressError;
use http::response;
use http_body::{Body as HttpBody, Frame, SizeHint};
use mcp::skim::{Seen, Skim};

use super::incoming::{Held, Incoming};
use super::{Kind, Reply, broken};
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::GatewayState;
use crate::watch::{self, Lost};

pub(super) async fn relay(
    gateway: &GatewayState,
    head: &response::Parts,
    body: egress::Body,
    view: &Arc<GrantView>,
    mut call: OpenCall,
    mut reply: Reply,
) -> Result<Response, Refusal> {
    let mut incoming = Incoming::new(gateway, body);
    if let Some((skim, at_once)) = reply.passes_unread() {
        match incoming.is_result(gateway, view, (skim.clone(), at_once)).await {
            Ok(true) => {
                let session = reply.session_header(gateway, view, &head.headers, None);
                let lost = Box::pin(watch::lost(gateway.clone(), Arc::clone(view)));
                let streamed = Streamed::new(incoming, skim, call, lost);
                return Ok(super::response(head, session, Body::new(streamed)));
            }
            Ok(false) => {}
            Err(unheld) => return Err(unheld.close(call).await),
        }
    }
    let (body, hold) = match incoming.whole(gateway, view).await {
        Ok(whole) => whole,
        Err(unheld) => return Err(unheld.close(call).await),
    };
    call.received(body.len());
    let passed = match reply.pass(gateway, view, &body).await {
        Ok(passed) if passed.ending.is_some() => passed,
        Ok(_) => return broken(call, "it does not answer the request").await,
        Err(unreadable) => return broken(call, unreadable.0).await,
    };
    call.end(passed.ending.unwrap_or(Ending::Done)).await;
    let session = reply.session_header(gateway, view, &head.headers, passed.settled);
    let rewritten = passed.body.is_some();
    let body = Held::body(passed.body.map_or(body, Bytes::from), hold);
    let mut response = super::response(head, session, body);
    if rewritten || matches!(reply.kind, Kind::List | Kind::Surface) {
        // Cut for this grant: nobody else may be shown it.
        let private = http::HeaderValue::from_static("private, no-store");
        response.headers_mut().insert(http::header::CACHE_CONTROL, private);
    }
    Ok(response)
}

/// An answer on its way through, of which no more than a piece is here at a time. The last piece is held until it is known how the call ended and, where quota is given
/// back, until that has happened.
struct Streamed {
    upstream: egress::Body,
    /// What has come already.
    first: vec::IntoIter<Bytes>,
    /// It has shown that it is a result, and must stay one.
    skim: Skim,
    call: Option<OpenCall>,
    /// Resolves when the grant behind the answer is lost, or its rules change, which is too late for this call.
    lost: Option<Pin<Box<dyn Future<Output = Lost> + Send>>>,
    held: Option<Bytes>,
    closing: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Streamed {
    fn new(
        incoming: Incoming,
        skim: Skim,
        call: OpenCall,
        lost: Pin<Box<dyn Future<Output = Lost> + Send>>,
    ) -> Self {
        Self {
            upstream: incoming.upstream,
            first: incoming.pieces.into_iter(),
            skim,
            call: Some(call),
            lost: Some(lost),
            held: None,
            closing: None,
        }
    }

    /// The reason why it may not go on, if there is one by now.
    fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<&'static str> {
        let Some(lost) = &mut self.lost else { return Poll::Pending };
        match ready!(lost.as_mut().poll(cx)) {
            Lost::Gone(reason) => Poll::Ready(reason),
            Lost::Changed(_) => {
                self.lost = None;
                Poll::Pending
            }
        }
    }

    fn poll_upstream(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        match self.first.next() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Pin::new(&mut self.upstream).poll_frame(cx),
        }
    }

    /// Ends it in the middle, so that the client sees that it is no whole answer.
    fn break_off(
        &mut self,
        ending: &Ending,
        error: EgressError,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        if let Some(mut call) = self.call.take() {
            call.end_soon(ending);
        }
        self.held = None;
        Poll::Ready(Some(Err(error)))
    }

    /// Takes a piece; gives the one before it.
    fn take(&mut self, piece: Bytes) -> Option<Bytes> {
        if let Some(call) = &mut self.call {
            call.received(piece.len());
        }
        self.held.replace(piece)
    }

    fn close(&mut self) {
        if let Some(call) = self.call.take() {
            let ending = if self.skim.is_error() { Ending::ToolError } else { Ending::Done };
            self.closing = Some(Box::pin(call.end(ending)));
        }
    }
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        loop {
            if let Some(closing) = &mut self.closing {
                ready!(closing.as_mut().poll(cx));
                self.closing = None;
            }
            if self.call.is_none() {
                return Poll::Ready(self.held.take().map(|piece| Ok(Frame::data(piece))));
            }
            let frame = match self.poll_upstream(cx) {
                Poll::Ready(frame) => frame,
                Poll::Pending => {
                    let reason = ready!(self.poll_lost(cx));
                    return self.break_off(&Ending::Ended(reason), EgressError::Broken);
                }
            };
            match frame {
                Some(Ok(frame)) => {
                    let Ok(piece) = frame.into_data() else { continue };
                    if self.skim.push(&piece) == Seen::Doubt {
                        let more = Ending::Broken("it says something else than the result it began with");
                        return self.break_off(&more, EgressError::Broken);
                    }
                    let before = self.take(piece);
                    if self.first.len() == 0 && self.upstream.is_end_stream() && self.skim.is_whole() {
                        self.close();
                    }
                    if let Some(piece) = before {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                }
                None if self.skim.is_whole() => self.close(),
                None => {
                    let half = Ending::Broken("it ended before the answer was complete");
                    return self.break_off(&half, EgressError::Broken);
                }
                Some(Err(error)) => {
                    let broke = Ending::Broken("the connection broke before the answer was complete");
                    return self.break_off(&broke, error);
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.call.is_none() && self.closing.is_none() && self.held.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let waiting = self.held.iter().chain(self.first.as_slice());
        let held = waiting.map(|piece| piece.len() as u64).sum::<u64>();
        let upstream = self.upstream.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(upstream.lower() + held);
        if let Some(upper) = upstream.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}
