//! One event and its lines.

use bytes::Bytes;
use memchr::{memchr, memchr2};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event (or comment) of a stream, with the very bytes that carried it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    raw: Bytes,
    /// Bytes at the front of `raw` that belong to no line: a byte order mark, or the rest of a line end.
    skip: usize,
    data: Option<Bytes>,
    kind: Bytes,
    id: Option<Bytes>,
}

/// A line of an event: the field that it sets, its value, and the whole of it with its end.
struct Line<'a> {
    field: &'a [u8],
    value: &'a [u8],
    whole: &'a [u8],
}

impl Event {
    /// Reads a block of whole lines. `first` says that it opens the stream, where a byte order mark is skipped, and
    /// `dangling` that its first byte is the line feed of a line end whose carriage return went with the event before.
    pub(super) fn read(raw: Bytes, first: bool, dangling: bool) -> Self {
        let skip = if first && raw.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            usize::from(dangling)
        };
        let mut joined: Option<Vec<u8>> = None;
        let mut event = Self { raw, skip, data: None, kind: Bytes::new(), id: None };
        let raw = event.raw.clone();
        for line in lines(&raw[skip..]) {
            match line.field {
                b"data" => match (&mut joined, &event.data) {
                    (Some(joined), _) => {
                        joined.push(b'\n');
                        joined.extend_from_slice(line.value);
                    }
                    (None, Some(first)) => joined = Some([first.as_ref(), b"\n", line.value].concat()),
                    // Most events have one line of data, which need not be copied.
                    (None, None) => event.data = Some(raw.slice_ref(line.value)),
                },
                b"event" => event.kind = raw.slice_ref(line.value),
                b"id" => event.id = Some(raw.slice_ref(line.value)),
                _ => {}
            }
        }
        event.data = joined.map(Bytes::from).or(event.data);
        event
    }

    /// The bytes as they came, with the blank line that ends them.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The `data` lines joined by newlines; nothing for a comment or an event without data, empty for a priming event.
    pub fn data(&self) -> Option<&Bytes> {
        self.data.as_ref()
    }

    /// The kind of the event (`event:`), `message` if it names none. `endpoint` belongs to the transport of 2024-11-05,
    /// which would lead a client around the gateway.
    pub fn kind(&self) -> &[u8] {
        if self.kind.is_empty() { b"message" } else { self.kind.as_ref() }
    }

    /// The id of the event, as a client would resume with it.
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// The event with other data, another id, or both; its other lines stay as they came. What it does not have it does not
    /// get.
    pub fn rewritten(&self, data: Option<&[u8]>, id: Option<&[u8]>) -> Bytes {
        if data.is_none() && id.is_none() {
            return self.raw.clone();
        }
        let more = data.map_or(0, <[u8]>::len) + id.map_or(0, <[u8]>::len);
        let mut event = Vec::with_capacity(self.raw.len() + more);
        event.extend_from_slice(&self.raw[..self.skip]);
        let mut written = false;
        for line in lines(&self.raw[self.skip..]) {
            match (line.field, data, id) {
                (b"data", Some(_), _) if written => {}
                (b"data", Some(data), _) => {
                    written = true;
                    write_data(&mut event, data, line_end(line.whole));
                }
                (b"id", _, Some(id)) => {
                    event.extend_from_slice(b"id: ");
                    event.extend_from_slice(id);
                    event.extend_from_slice(line_end(line.whole));
                }
                _ => {
                    // Between them stood data: the two would now make one line end.
                    if event.ends_with(b"\r") && line.whole.starts_with(b"\n") {
                        event.push(b'\n');
                    }
                    event.extend_from_slice(line.whole);
                }
            }
        }
        event.into()
    }

    /// The event without an id, so that nobody can resume behind it.
    #[must_use]
    pub fn without_id(&self) -> Self {
        let kept = lines(&self.raw[self.skip..]).filter(|line| line.field != b"id");
        let kept: Vec<u8> = kept.flat_map(|line| line.whole.iter().copied()).collect();
        Self::read(kept.into(), false, false)
    }

    /// The event with other data; its other lines stay as they came. An event without data stays as it came.
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        self.rewritten(Some(data), None)
    }
}

/// The lines of a block that ends with the end of one.
fn lines(block: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let content = memchr2(b'\r', b'\n', rest)?;
        let end = if rest[content..].starts_with(b"\r\n") { content + 2 } else { content + 1 };
        let (whole, after) = rest.split_at(end);
        rest = after;
        Some(Line::read(whole, &whole[..content]))
    })
}

impl<'a> Line<'a> {
    /// A comment is a line of the field without a name.
    fn read(whole: &'a [u8], content: &'a [u8]) -> Self {
        match memchr(b':', content) {
            None => Self { field: content, value: b"", whole },
            Some(colon) => {
                let value = &content[colon + 1..];
                let value = value.strip_prefix(b" ").unwrap_or(value);
                Self { field: &content[..colon], value, whole }
            }
        }
    }
}

fn line_end(line: &[u8]) -> &[u8] {
    let content = memchr2(b'\r', b'\n', line).unwrap_or(line.len());
    &line[content..]
}

/// One `data` line per line of the text, whatever ends those.
fn write_data(event: &mut Vec<u8>, data: &[u8], line_end: &[u8]) {
    let mut rest = data;
    loop {
        let content = memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(&rest[..content]);
        event.extend_from_slice(line_end);
        rest = &rest[content..];
        rest = match rest.strip_prefix(b"\r\n") {
            Some(after) => after,
            None if rest.is_empty() => return,
            None => &rest[1..],
        };
    }
}
