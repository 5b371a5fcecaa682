//! Server-sent events, cut apart without changing a byte.

use bytes::Bytes;

/// One event (or comment) of a stream, with the very bytes that carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    data: Option<Bytes>,
}

impl Event {
    /// The bytes as they came, with the blank line that ends them.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The `data` lines joined by newlines; nothing for a comment or an event without data, empty for a priming event.
    pub fn data(&self) -> Option<&Bytes> {
        self.data.as_ref()
    }

    /// The event with other data; its `id`, `event`, `retry` and comments stay as they came.
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        unimplemented!("{}", data.len())
    }
}

/// An event larger than the parser may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the upstream is larger than {max} bytes")]
pub struct TooLarge {
    /// The cap, in bytes.
    pub max: usize,
}

/// Cuts a byte stream into events, whatever way it is chunked.
#[derive(Debug)]
pub struct Parser {
    max: usize,
}

impl Parser {
    /// `max` is the cap on the bytes of one event.
    pub fn new(max: usize) -> Self {
        Self { max }
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, chunk: &[u8]) {
        unimplemented!("{} {}", chunk.len(), self.max)
    }

    /// The next whole event, if there is one.
    ///
    /// # Errors
    /// [`TooLarge`], for good: the stream can't be read on.
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        unimplemented!()
    }

    /// Ends the stream. An event whose end was still in doubt comes out; one that was cut off does not.
    pub fn finish(&mut self) -> Option<Event> {
        unimplemented!()
    }
}
