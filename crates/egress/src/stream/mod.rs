//! An answer that lasts, on a connection of its own: HTTP/1.1 with no task behind it, and no buffer while it is quiet. Whoever
//! polls the body reads the socket, into memory of the moment.
//!
//! Which bytes are a head is said by `httparse`; where a body ends by `framing`.

#[cfg(test)]
mod agreement;
mod chunks;
mod framing;
mod head;
mod request;

use std::fmt;
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use self::framing::Framing;
use crate::counted::Standing;
use crate::error::EgressError;

/// Bytes that are read at once.
const PIECE: usize = 8 * 1024;

/// The body of an answer as it comes over its own connection, which is closed with it.
pub(crate) struct Stream<S = TcpStream> {
    socket: S,
    framing: Framing,
    /// What came together with the head.
    early: Bytes,
    _standing: Standing,
}

/// Sends a request, once, and returns when the head of its answer is here.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    (mut socket, standing): (S, Standing),
    request: Request<Bytes>,
) -> Result<Response<Stream<S>>, EgressError> {
    // A server that has heard enough may answer and close before it has read all: then its answer counts.
    let _ = socket.write_all(&request::written(&request)).await;
    let (head, early) = head::read(&mut socket).await?;
    let framing = Framing::of(request.method(), &head)?;
    Ok(head.map(|()| Stream { socket, framing, early, _standing: standing }))
}

impl<S: AsyncRead + Unpin> Stream<S> {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, EgressError>> {
        while !self.framing.is_over()? {
            let piece = if self.early.is_empty() {
                let mut memory = [MaybeUninit::uninit(); PIECE];
                let mut read = ReadBuf::uninit(&mut memory);
                ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read))
                    .map_err(|_| EgressError::Broken)?;
                if read.filled().is_empty() {
                    self.framing.end();
                    continue;
                }
                self.framing.take(read.filled())
            } else {
                self.framing.take(&mem::take(&mut self.early))
            };
            if !piece.is_empty() {
                return Poll::Ready(Ok(Some(piece)));
            }
        }
        Poll::Ready(Ok(None))
    }
}

impl<S: AsyncRead + Unpin> HttpBody for Stream<S> {
    type Data = Bytes;
    type Error = EgressError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, EgressError>>> {
        let piece = ready!(self.poll_piece(cx));
        if piece.is_err() {
            self.framing = Framing::OVER;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.framing.is_over() == Ok(true)
    }

    fn size_hint(&self) -> SizeHint {
        self.framing.left().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl<S> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("framing", &self.framing).finish_non_exhaustive()
    }
}
