//! Cuts a byte stream into events.

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

use super::Event;

/// An event larger than the parser may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the upstream is larger than {max} bytes")]
pub struct TooLarge {
    /// The cap, in bytes.
    pub max: usize,
}

/// Cuts a byte stream into events, whatever way it is chunked.
///
/// A comment that stands before any field is an event of its own and comes out with the end of its line: keep-alives are
/// not held back. All else comes out with the blank line that ends it.
#[derive(Debug)]
pub struct Parser {
    max: usize,
    /// From the first byte that belongs to no event yet.
    buffer: BytesMut,
    /// The first byte of the buffer that was not looked at.
    next: usize,
    /// Where in the buffer the line of `next` begins.
    line: usize,
    /// The byte before `next` was a carriage return that ended a line.
    after_return: bool,
    /// The buffer begins with a line feed whose carriage return went with the event before.
    dangling: bool,
    returns: Returns,
    /// No event came out yet.
    first: bool,
}

/// How this stream uses carriage returns.
#[derive(Debug, PartialEq, Eq)]
enum Returns {
    /// Before a line feed, as far as it was seen: after one, the line feed is waited for.
    Paired,
    /// By themselves: nothing need be waited for.
    Bare,
}

impl Parser {
    /// `max` is the cap on the bytes of one event.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            buffer: BytesMut::new(),
            next: 0,
            line: 0,
            after_return: false,
            dangling: false,
            returns: Returns::Paired,
            first: true,
        }
    }

    /// Adds bytes as they came.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// Bytes that belong to no event yet.
    pub fn held(&self) -> usize {
        self.buffer.len()
    }

    /// The next whole event, if there is one.
    ///
    /// # Errors
    /// [`TooLarge`], for good: the stream can't be read on.
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        if self.next > self.max {
            return Err(TooLarge { max: self.max });
        }
        while let Some(&byte) = self.buffer.get(self.next) {
            if self.next >= self.max {
                return Err(TooLarge { max: self.max });
            }
            if std::mem::take(&mut self.after_return) {
                if byte == b'\n' {
                    // The second half of a line end whose line was already seen to.
                    self.dangling |= self.next == 0;
                    self.next += 1;
                    self.line = self.next;
                    continue;
                }
                self.returns = Returns::Bare;
            }
            let end = match byte {
                b'\n' => self.next + 1,
                b'\r' if !self.ends_event() || self.returns == Returns::Bare => self.next + 1,
                // An event ends here, with or without the line feed that may follow.
                b'\r' => match self.buffer.get(self.next + 1) {
                    None => break,
                    Some(b'\n') => self.next + 2,
                    Some(_) => self.next + 1,
                },
                _ => {
                    let rest = &self.buffer[self.next..];
                    self.next += memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                    continue;
                }
            };
            let whole = self.ends_event();
            self.after_return = self.buffer[end - 1] == b'\r';
            self.next = end;
            self.line = end;
            if whole {
                return self.take(end).map(Some);
            }
        }
        if self.next > self.max { Err(TooLarge { max: self.max }) } else { Ok(None) }
    }

    /// Ends the stream. An event whose last line end was still in doubt comes out; one that was cut off does not, for no
    /// client would see it.
    pub fn finish(&mut self) -> Option<Event> {
        let in_doubt = self.buffer.get(self.next) == Some(&b'\r') && self.ends_event();
        let end = self.next + 1;
        let event = if in_doubt { self.take(end).ok() } else { None };
        self.buffer.clear();
        (self.next, self.line) = (0, 0);
        event
    }

    /// Whether the end of the line that `next` stands in ends an event: a blank line, or a comment before any field.
    fn ends_event(&self) -> bool {
        let blank = self.line == self.next;
        let opens = self.line == usize::from(self.dangling);
        blank || (opens && self.buffer[self.line] == b':')
    }

    /// The bytes up to `end` as an event.
    fn take(&mut self, end: usize) -> Result<Event, TooLarge> {
        if end > self.max {
            return Err(TooLarge { max: self.max });
        }
        let raw: Bytes = self.buffer.split_to(end).freeze();
        (self.next, self.line) = (0, 0);
        let first = std::mem::take(&mut self.first);
        let dangling = std::mem::take(&mut self.dangling);
        Ok(Event::read(raw, first, dangling))
    }
}
