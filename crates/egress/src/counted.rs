//! Connections that count themselves: how many stand, and how attempts to make one went.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// The counts of one client.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    open: IntGauge,
    connects: IntCounterVec,
    made: IntCounter,
    failed: IntCounter,
}

impl Counts {
    pub(crate) fn new() -> prometheus::Result<Self> {
        let open = IntGauge::new("tollgate_upstream_connections", "Connections to upstreams that stand")?;
        let connects = IntCounterVec::new(
            Opts::new("tollgate_upstream_connects_total", "Attempts to connect to an upstream, by result"),
            &["result"],
        )?;
        let [made, failed] = ["made", "failed"].map(|result| connects.with_label_values(&[result]));
        Ok(Self { open, connects, made, failed })
    }

    pub(crate) fn register(&self, registry: &Registry) -> prometheus::Result<()> {
        registry.register(Box::new(self.open.clone()))?;
        registry.register(Box::new(self.connects.clone()))
    }

    /// Counts an attempt, and its connection for as long as that stands.
    pub(crate) fn count<S>(&self, connected: io::Result<S>) -> io::Result<Counted<S>> {
        match connected {
            Ok(stream) => {
                self.made.inc();
                Ok(Counted { stream, standing: Standing::new(&self.open) })
            }
            Err(error) => {
                self.failed.inc();
                Err(error)
            }
        }
    }
}

/// A connection that stands.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    standing: Standing,
}

/// Counts a connection as standing until it is dropped.
#[derive(Debug)]
pub(crate) struct Standing(IntGauge);

impl Standing {
    pub(crate) fn new(open: &IntGauge) -> Self {
        open.inc();
        Self(open.clone())
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl<S> Counted<S> {
    /// The connection, and what counts it.
    pub(crate) fn into_parts(self) -> (S, Standing) {
        (self.stream, self.standing)
    }
}

impl<S: Connection> Connection for Counted<S> {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl<S: Read + Unpin> Read for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: Write + Unpin> Write for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }
}
