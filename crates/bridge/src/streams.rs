//! What the streams of a session have carried. Each keeps its newest events, under numbers that say which stream they belong
//! to, so that a client whose connection broke goes on where it was; those that are answered are kept for a while.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

/// The stream of what belongs to no request.
pub(crate) const LISTENED: u64 = 0;

/// Events that a stream keeps.
const MOST_EVENTS: usize = 1024;
/// Bytes that a stream keeps, and that all answered streams of a session keep together. The newest event of a stream is kept
/// whatever its size.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Answered streams that a session keeps.
const MOST_ANSWERED: usize = 64;

/// All streams of a session.
#[derive(Debug)]
pub(crate) struct Streams {
    list: BTreeMap<u64, Stream>,
    /// Answered ones, the oldest first.
    answered: VecDeque<u64>,
    /// Readers so far.
    readers: u64,
}

#[derive(Debug, Default)]
struct Stream {
    /// The newest events, each with the line that it brought.
    kept: VecDeque<Bytes>,
    bytes: usize,
    /// Number of the newest event; the first has 1.
    newest: u64,
    /// Number of the newest that a reader took.
    taken: u64,
    state: Progress,
    /// Who reads; whoever began last.
    reader: Option<u64>,
    wake: Arc<Notify>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Progress {
    #[default]
    Open,
    /// The newest event is its last.
    Over,
    /// Its client does not want the answer any more.
    Cancelled,
}

/// Where a reader is.
#[derive(Debug)]
pub(crate) struct Place {
    stream: u64,
    reader: u64,
    /// Number of the newest event that it took.
    at: u64,
    /// Tells it to look again.
    pub wake: Arc<Notify>,
}

/// An event as its reader gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// What a client names to go on behind it.
    pub id: String,
    /// The message.
    pub line: Bytes,
    /// It is the last.
    pub last: bool,
}

/// What there is for a reader.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Event(Event),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    Over,
}

impl Place {
    /// The id of the event before the next: what a stream is begun with, so that it can be resumed from its beginning.
    pub fn id(&self) -> String {
        format!("{}-{}", self.stream, self.at)
    }
}

impl Default for Streams {
    fn default() -> Self {
        let list = BTreeMap::from([(LISTENED, Stream::default())]);
        Self { list, answered: VecDeque::new(), readers: 0 }
    }
}

impl Streams {
    /// Begins the stream of a request.
    pub fn begin(&mut self, stream: u64) {
        self.list.insert(stream, Stream::default());
    }

    /// Adds an event to a stream.
    pub fn push(&mut self, number: u64, line: Bytes) {
        let Some(stream) = self.list.get_mut(&number) else { return };
        stream.bytes += line.len();
        stream.newest += 1;
        stream.kept.push_back(line);
        while stream.kept.len() > 1 && (stream.kept.len() > MOST_EVENTS || stream.bytes > MOST_BYTES) {
            let first = stream.newest - stream.kept.len() as u64 + 1;
            if first > stream.taken {
                tracing::warn!(
                    "a stream brings more than is kept: its oldest event, which nobody took, is left out"
                );
            }
            stream.bytes -= stream.kept.pop_front().map_or(0, |line| line.len());
        }
        stream.wake.notify_waiters();
    }

    /// The newest event of a stream is its last.
    pub fn finish(&mut self, number: u64) {
        let Some(stream) = self.list.get_mut(&number) else { return };
        stream.state = Progress::Over;
        stream.wake.notify_waiters();
        if number == LISTENED {
            return;
        }
        self.answered.push_back(number);
        while self.answered.len() > MOST_ANSWERED || self.held() > MOST_BYTES {
            // Whoever reads one at this moment, reads it to its end.
            let others = self.answered.iter().take(self.answered.len() - 1);
            let Some(oldest) = others.copied().position(|number| !self.is_read(number)) else { return };
            if let Some(number) = self.answered.remove(oldest) {
                self.list.remove(&number);
            }
        }
    }

    /// Bytes of the answered streams.
    fn held(&self) -> usize {
        self.answered.iter().filter_map(|number| self.list.get(number)).map(|stream| stream.bytes).sum()
    }

    /// Nobody wants the answer of this stream any more. Who reads it stays until it goes.
    pub fn cancel(&mut self, number: u64) {
        if let Some(stream) = self.list.get_mut(&number) {
            stream.state = Progress::Cancelled;
            if stream.reader.is_none() {
                self.list.remove(&number);
            }
        }
    }

    /// Reads a stream, in the place of whoever did before: behind what readers took.
    pub fn read(&mut self, number: u64) -> Option<Place> {
        let at = self.list.get(&number)?.taken;
        self.read_behind(number, at)
    }

    /// Reads on behind the event of this id; nothing if nothing is known of it.
    pub fn resume(&mut self, id: &str) -> Option<Place> {
        let (stream, event) = id.split_once('-')?;
        let (number, at) = (stream.parse().ok()?, event.parse().ok()?);
        if self.list.get(&number)?.newest < at || self.list.get(&number)?.state == Progress::Cancelled {
            return None;
        }
        self.read_behind(number, at)
    }

    fn read_behind(&mut self, number: u64, at: u64) -> Option<Place> {
        let stream = self.list.get_mut(&number)?;
        self.readers += 1;
        stream.reader = Some(self.readers);
        // Whoever read before sees that it does not any more.
        stream.wake.notify_waiters();
        Some(Place { stream: number, reader: self.readers, at, wake: Arc::clone(&stream.wake) })
    }

    /// What is next for a reader.
    pub fn next(&mut self, place: &mut Place) -> Next {
        let Some(stream) = self.list.get_mut(&place.stream) else { return Next::Over };
        if stream.reader != Some(place.reader) {
            return Next::Over;
        }
        let first = stream.newest - stream.kept.len() as u64 + 1;
        let number = first.max(place.at + 1);
        let kept = usize::try_from(number - first).ok().and_then(|index| stream.kept.get(index));
        match kept {
            Some(line) => {
                place.at = number;
                stream.taken = stream.taken.max(number);
                let last = stream.state == Progress::Over && number == stream.newest;
                Next::Event(Event { id: place.id(), line: line.clone(), last })
            }
            None if stream.state == Progress::Over => Next::Over,
            None => Next::Nothing,
        }
    }

    /// A reader goes.
    pub fn leave(&mut self, place: &Place) {
        let Some(stream) = self.list.get_mut(&place.stream) else { return };
        if stream.reader == Some(place.reader) {
            stream.reader = None;
            if stream.state == Progress::Cancelled {
                self.list.remove(&place.stream);
            }
        }
    }

    /// Whether somebody reads a stream.
    pub fn is_read(&self, number: u64) -> bool {
        self.list.get(&number).is_some_and(|stream| stream.reader.is_some())
    }

    /// Whether somebody reads any.
    pub fn are_read(&self) -> bool {
        self.list.values().any(|stream| stream.reader.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(streams: &mut Streams, place: &mut Place) -> Vec<String> {
        let mut lines = Vec::new();
        while let Next::Event(event) = streams.next(place) {
            lines.push(format!("{}:{}", event.id, String::from_utf8_lossy(&event.line)));
        }
        lines
    }

    fn streams(events: u64) -> Streams {
        let mut streams = Streams::default();
        streams.begin(1);
        for event in 1..=events {
            streams.push(1, event.to_string().into());
        }
        streams
    }

    #[test]
    fn a_reader_goes_on_where_another_was() {
        let mut streams = streams(3);
        let mut first = streams.read(1).unwrap();
        assert_eq!(first.id(), "1-0");
        assert_eq!(lines(&mut streams, &mut first), ["1-1:1", "1-2:2", "1-3:3"]);
        let mut second = streams.resume("1-1").unwrap();
        assert_eq!(streams.next(&mut first), Next::Over, "there is one reader");
        assert_eq!(lines(&mut streams, &mut second), ["1-2:2", "1-3:3"]);
        assert_eq!(streams.next(&mut second), Next::Nothing);
        streams.push(1, "4".into());
        streams.finish(1);
        let Next::Event(event) = streams.next(&mut second) else { panic!("the answer") };
        assert!(event.last);
        assert_eq!(streams.next(&mut second), Next::Over);
        assert_eq!(lines(&mut streams, &mut first), Vec::<String>::new());
    }

    #[test]
    fn only_what_was_sent_is_resumed() {
        let mut streams = streams(2);
        for id in ["1-3", "2-0", "", "1", "-", "1-x", "x-1", "1--1", "1-99999999999999999999"] {
            assert!(streams.resume(id).is_none(), "{id}");
        }
        assert!(streams.resume("0-0").is_some(), "the one that is listened to");
    }

    #[test]
    fn a_stream_keeps_its_newest() {
        let mut streams = streams(MOST_EVENTS as u64 + 2);
        let mut reader = streams.resume("1-0").unwrap();
        let read = lines(&mut streams, &mut reader);
        assert_eq!((read.len(), read[0].as_str()), (MOST_EVENTS, "1-3:3"));
        streams.push(1, Bytes::from(vec![b'x'; 2 * MOST_BYTES]));
        let mut reader = streams.resume("1-0").unwrap();
        assert_eq!(lines(&mut streams, &mut reader).len(), 1, "one is kept, however large");
    }

    #[test]
    fn answered_streams_are_forgotten_in_the_end() {
        let mut streams = Streams::default();
        for number in 1..=MOST_ANSWERED as u64 + 1 {
            streams.begin(number);
            streams.push(number, "done".into());
            streams.finish(number);
        }
        assert!(streams.resume("1-0").is_none());
        assert!(streams.resume("2-0").is_some());
        for number in 1000..1003 {
            streams.begin(number);
            streams.push(number, Bytes::from(vec![b'x'; MOST_BYTES - 100]));
            streams.finish(number);
        }
        assert!(streams.resume("1001-0").is_none(), "together they are too large");
        assert!(streams.resume("1002-0").is_some());
    }

    #[test]
    fn a_cancelled_stream_goes_with_its_reader() {
        let mut streams = streams(1);
        let place = streams.read(1).unwrap();
        streams.cancel(1);
        assert!(streams.is_read(1) && streams.resume("1-0").is_none());
        streams.leave(&place);
        streams.push(1, "late".into());
        assert!(streams.read(1).is_none());
        assert!(!streams.are_read());
    }
}
