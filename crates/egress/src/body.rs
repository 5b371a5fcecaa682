//! The body of an upstream's answer: a stream with an idle limit and no total one, or at most so many bytes at once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::error::{EgressError, Phase};
use crate::stream::Stream;

/// Pieces of the answer as they come. Dropping it closes the stream.
#[derive(Debug)]
pub struct Body {
    source: Source,
    idle: Duration,
    /// Runs only while a piece is waited for; most answers come in one and never need it.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

/// Where the pieces come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// A connection of a pool.
    Pool(Incoming),
    /// A connection of its own. In a box: every request has room for a body, and few are of this kind.
    Own(Box<Stream>),
}

impl Body {
    pub(crate) fn new(source: Source, idle: Duration) -> Self {
        Self { source, idle, timer: None, waiting: false }
    }

    /// The whole body, if it is at most `max` bytes long; stops reading as soon as it is longer.
    pub async fn read(mut self, max: usize) -> Result<Bytes, EgressError> {
        if self.size_hint().lower() > max as u64 {
            return Err(EgressError::TooLarge { max });
        }
        let mut first = Bytes::new();
        let mut all = BytesMut::new();
        while let Some(frame) = self.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            if first.len().max(all.len()) + data.len() > max {
                return Err(EgressError::TooLarge { max });
            }
            if first.is_empty() && all.is_empty() {
                first = data;
                continue;
            }
            if all.is_empty() {
                all.extend_from_slice(&first);
            }
            all.extend_from_slice(&data);
        }
        Ok(if all.is_empty() { first } else { all.freeze() })
    }

    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.idle)));
        if !self.waiting {
            self.waiting = true;
            timer.as_mut().reset(Instant::now() + self.idle);
        }
        timer.as_mut().poll(cx)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let polled = match &mut self.source {
            Source::Pool(incoming) => Pin::new(incoming)
                .poll_frame(cx)
                .map_err(|error| EgressError::classify(&error, EgressError::Broken)),
            Source::Own(stream) => Pin::new(stream).poll_frame(cx),
        };
        match polled {
            Poll::Ready(frame) => {
                self.waiting = false;
                Poll::Ready(frame)
            }
            Poll::Pending => match self.poll_idle(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(EgressError::Timeout(Phase::Idle)))),
                Poll::Pending => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Pool(incoming) => incoming.is_end_stream(),
            Source::Own(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Pool(incoming) => incoming.size_hint(),
            Source::Own(stream) => stream.size_hint(),
        }
    }
}
