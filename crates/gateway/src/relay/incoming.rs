//! An answer of one message on its way in: as much of it as has to be here before any of it may go on, within the bounds on
//! what is held, and for no longer than the grant behind it works.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use egress::EgressError;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use mcp::skim::{Seen, Skim};

use super::MAX_REPLY;
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::hold::{Full, Hold};
use crate::refusal::Refusal;
use crate::state::GatewayState;
use crate::watch::{self, Lost};

/// Bytes that may come before it shows what they are.
const MAX_OPENING: usize = 64 * 1024;
/// Bytes of a message, read, for each of its values: more than there are.
const VALUE: usize = 80;
/// Bytes of a piece of an answer that was held.
const PIECE: usize = 64 * 1024;

/// The pieces so far.
pub(super) struct Incoming {
    pub upstream: egress::Body,
    pub pieces: Vec<Bytes>,
    bytes: usize,
    hold: Hold,
}

/// Why it does not come.
pub(super) enum Unheld {
    Upstream(EgressError),
    TooLong,
    Full,
    Lost(&'static str),
}

impl Incoming {
    pub fn new(gateway: &GatewayState, upstream: egress::Body) -> Self {
        Self { upstream, pieces: Vec::new(), bytes: 0, hold: gateway.budget.hold() }
    }

    /// Reads on until it is known whether this is plainly a result. What is short is not asked, unless `at_once`: it is here
    /// before it could go on.
    pub async fn is_result(
        &mut self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        (mut skim, at_once): (Skim, bool),
    ) -> Result<bool, Unheld> {
        while let Some(piece) = self.more(gateway, view).await? {
            match skim.push(&piece) {
                Seen::Result if at_once || self.bytes > MAX_OPENING => return Ok(true),
                Seen::Nothing if self.bytes > MAX_OPENING => break,
                Seen::Nothing | Seen::Result => {}
                Seen::Doubt => break,
            }
        }
        Ok(false)
    }

    /// Reads the rest, and leaves room for what is made of it.
    pub async fn whole(
        mut self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
    ) -> Result<(Bytes, Hold), Unheld> {
        while self.more(gateway, view).await?.is_some() {}
        let body = match self.pieces.as_slice() {
            [whole] => whole.clone(),
            pieces => Bytes::from(pieces.concat()),
        };
        self.hold.cover(weight(&body))?;
        Ok((body, self.hold))
    }

    async fn more(&mut self, gateway: &GatewayState, view: &Arc<GrantView>) -> Result<Option<Bytes>, Unheld> {
        loop {
            if self.bytes > 0 && self.upstream.is_end_stream() {
                return Ok(None);
            }
            let frame = tokio::select! {
                biased;
                frame = self.upstream.frame() => frame,
                reason = gone(gateway, view) => return Err(Unheld::Lost(reason)),
            };
            let Some(frame) = frame else { return Ok(None) };
            let Ok(piece) = frame.map_err(Unheld::Upstream)?.into_data() else { continue };
            self.bytes += piece.len();
            if self.bytes > MAX_REPLY {
                return Err(Unheld::TooLong);
            }
            // Once in pieces, once whole.
            self.hold.cover(2 * self.bytes)?;
            self.pieces.push(piece.clone());
            return Ok(Some(piece));
        }
    }
}

/// Bytes that a message takes up while it is looked at: itself, its values, and what it becomes.
pub(super) fn weight(message: &[u8]) -> usize {
    let values = memchr::memchr3_iter(b',', b'[', b'{', message).count();
    2 * message.len() + VALUE * values
}

/// Waits until the grant works no longer. Other rules come too late for what is under way.
async fn gone(gateway: &GatewayState, view: &Arc<GrantView>) -> &'static str {
    let mut view = Arc::clone(view);
    loop {
        match watch::lost(gateway.clone(), Arc::clone(&view)).await {
            Lost::Gone(reason) => return reason,
            Lost::Changed(later) => view = later,
        }
    }
}

impl From<Full> for Unheld {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl Unheld {
    /// Closes the call whose answer it would have been.
    pub async fn close(self, call: OpenCall) -> Refusal {
        let (ending, refusal) = match self {
            Self::Upstream(error) => (
                Ending::Broken("the connection broke before the answer was complete"),
                Refusal::Upstream(error),
            ),
            Self::TooLong => {
                let what = "it is longer than 16 MiB";
                (Ending::Broken(what), Refusal::UpstreamAnswer(what))
            }
            Self::Full => (Ending::Broken("too much was held to hold it too"), Refusal::Busy),
            Self::Lost(reason) => {
                (Ending::Ended(reason), Refusal::UpstreamAnswer("the grant has ended meanwhile"))
            }
        };
        call.end(ending).await;
        refusal
    }
}

/// A body that was held, and still is until the client has taken it.
pub(super) struct Held {
    rest: Bytes,
    #[expect(dead_code, reason = "it is the room that the body takes up, until both are dropped")]
    hold: Hold,
}

impl Held {
    /// As a body, which is a plain one where it is small.
    pub fn body(rest: Bytes, mut hold: Hold) -> Body {
        if rest.len() <= PIECE {
            return Body::from(rest);
        }
        hold.shrink(rest.len());
        Body::new(Self { rest, hold })
    }
}

impl HttpBody for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
