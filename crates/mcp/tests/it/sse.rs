//! Event streams.

use mcp::sse::{Event, Parser, TooLarge};
use proptest::prelude::*;
use serde::Deserialize;

use crate::vectors;

#[derive(Deserialize)]
struct Vector {
    name: String,
    stream: String,
    events: Vec<Expected>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Expected {
    data: Option<String>,
    id: Option<String>,
    #[serde(default = "message")]
    kind: String,
}

fn message() -> String {
    "message".into()
}

const LARGE: usize = 1 << 20;

/// The events of a stream that comes in these chunks, and what stopped it.
fn events<'a>(max: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Event>, Option<TooLarge>) {
    let mut parser = Parser::new(max);
    let mut events = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        loop {
            match parser.next_event() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(stopped) => return (events, Some(stopped)),
            }
        }
    }
    events.extend(parser.finish());
    (events, None)
}

fn all(stream: &[u8]) -> Vec<Event> {
    let (events, stopped) = events(LARGE, [stream]);
    assert_eq!(stopped, None);
    events
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("utf-8")
}

#[test]
fn vectors_hold() {
    for vector in vectors::<Vector>(include_str!("../vectors/sse.json")) {
        let stream = vector.stream.as_bytes();
        let found = all(stream);
        let summary: Vec<_> = found
            .iter()
            .map(|event| Expected {
                data: event.data().map(|data| text(data)),
                id: event.id().map(text),
                kind: text(event.kind()),
            })
            .collect();
        assert_eq!(summary, vector.events, "{}", vector.name);
        assert_eq!(events(LARGE, stream.chunks(1)).0, found, "{}: byte by byte", vector.name);
        let raw: Vec<u8> = found.iter().flat_map(|event| event.raw().to_vec()).collect();
        assert!(stream.starts_with(&raw), "{}: bytes as they came", vector.name);
    }
}

#[test]
fn an_event_comes_out_as_soon_as_it_is_whole() {
    let counts = |pushes: &[&str]| {
        let mut parser = Parser::new(LARGE);
        let mut count = 0;
        let counts: Vec<usize> = pushes
            .iter()
            .map(|chunk| {
                parser.push(chunk.as_bytes());
                while let Ok(Some(_)) = parser.next_event() {
                    count += 1;
                }
                count
            })
            .collect();
        counts
    };
    assert_eq!(counts(&["data: 1\n", "\n", "data: 2\r\n\r\n"]), [0, 1, 2]);
    // A keep-alive is not held back for what follows it.
    assert_eq!(counts(&[": ping\n", "data: 1\n\n"]), [1, 2]);
    // The first pair of carriage returns could be half a line end, a later one can't.
    assert_eq!(counts(&["data: 1\r", "\r", "data: 2\r\r"]), [0, 1, 2]);
}

#[test]
fn a_line_end_may_be_split() {
    let (found, _) = events(LARGE, [&b"data: 1\r"[..], b"\n\r", b"\ndata: 2\r\n", b"\r\n"]);
    assert_eq!(found, all(b"data: 1\r\n\r\ndata: 2\r\n\r\n"));
    assert_eq!(found[0].raw().as_ref(), b"data: 1\r\n\r\n");
}

#[test]
fn an_event_may_not_be_larger_than_the_cap() {
    let stream = b"data: 12345\n\ndata: 123456\n\n";
    for chunk in [1, 2, 5, 100] {
        let (found, stopped) = events(13, stream.chunks(chunk));
        assert_eq!((found.len(), stopped), (1, Some(TooLarge { max: 13 })), "chunks of {chunk}");
    }
    assert_eq!(events(14, [&stream[..]]).0.len(), 2);
    let mut parser = Parser::new(4);
    parser.push(b"data: 1\n\n");
    for _ in 0..3 {
        assert!(parser.next_event().is_err(), "for good");
    }
    // What never ends is not collected.
    let mut parser = Parser::new(1024);
    let endless = (0..10_000).find(|_| {
        parser.push(b"data: x\n");
        parser.next_event().is_err()
    });
    assert_eq!(endless, Some(1024 / 8));
}

#[test]
fn other_data_leaves_the_rest_as_it_came() {
    let with = |stream: &str, data: &str| text(&all(stream.as_bytes())[0].with_data(data.as_bytes()));
    assert_eq!(with("id: 1\ndata: a\nretry: 5\n\n", "b"), "id: 1\ndata: b\nretry: 5\n\n");
    assert_eq!(
        with("event: message\r\ndata: a\r\nid: 1\r\n\r\n", "b"),
        "event: message\r\ndata: b\r\nid: 1\r\n\r\n"
    );
    assert_eq!(with("id:1\n: c\ndata: a\nfoo\ndata: b\n\n", "1\n2"), "id:1\n: c\ndata: 1\ndata: 2\nfoo\n\n");
    assert_eq!(with("data: a\n\n", ""), "data: \n\n");
    assert_eq!(with("data: a\n\n", "1\r\n2\r3\n"), "data: 1\ndata: 2\ndata: 3\ndata: \n\n");
    assert_eq!(with("id: 1\n\n", "b"), "id: 1\n\n");
    assert_eq!(with("data\rdata\n\n", "b"), "data: b\r\n\n");
    // Without the first mark, the second would be skipped and hand the old data on.
    assert_eq!(with("\u{feff}\u{feff}data: a\ndata: a\n\n", "b"), "\u{feff}\u{feff}data: a\ndata: b\n\n");
}

/// Streams that are dense in what matters.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\r\r",
        "\r\n\r\n",
        ":",
        "data",
        "data: ",
        "data:{\"a\":1}",
        "id: 1",
        "event: message",
        "retry: 5",
        " ",
        "é",
        "🦀",
        "\u{feff}",
        "x",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
}

/// The stream in chunks that end at these places.
fn chunked<'a>(stream: &'a [u8], cuts: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(stream.len());
    let mut start = 0;
    ends.into_iter().map(|end| &stream[std::mem::replace(&mut start, end)..end]).collect()
}

/// What a client makes of a stream: a reader of the standard, written for clarity alone.
fn client_view(stream: &[u8]) -> Vec<String> {
    let stream = text(stream);
    let stream = stream.strip_prefix('\u{feff}').unwrap_or(&stream).replace("\r\n", "\n").replace('\r', "\n");
    let mut data: Vec<&str> = Vec::new();
    let mut seen = Vec::new();
    let whole = stream.rfind('\n').map_or("", |end| &stream[..end]);
    if !stream.contains('\n') {
        return seen;
    }
    for line in whole.split('\n') {
        if line.is_empty() {
            if !data.is_empty() {
                seen.push(data.join("\n"));
            }
            data.clear();
        } else if line == "data" {
            data.push("");
        } else if let Some(value) = line.strip_prefix("data:") {
            data.push(value.strip_prefix(' ').unwrap_or(value));
        }
    }
    seen
}

proptest! {
    #[test]
    fn chunks_do_not_matter(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12), max in 1_usize..80) {
        prop_assert_eq!(events(max, chunked(&stream, &cuts)), events(max, [&stream[..]]));
    }

    #[test]
    fn no_byte_is_lost(stream in stream()) {
        let raw: Vec<u8> = all(&stream).iter().flat_map(|event| event.raw().to_vec()).collect();
        prop_assert!(stream.starts_with(&raw));
        // What is left is an event that was cut off, or the second half of the last line end.
        let left = &stream[raw.len()..];
        let left = left.strip_prefix(b"\n").filter(|_| raw.ends_with(b"\r")).unwrap_or(left);
        prop_assert!(all(left).is_empty());
    }

    #[test]
    fn events_are_those_that_a_client_sees(stream in stream()) {
        let found: Vec<_> = all(&stream).iter().filter_map(|event| event.data().map(|data| text(data))).collect();
        prop_assert_eq!(found, client_view(&stream));
    }

    #[test]
    fn rewritten_data_is_what_a_client_sees(stream in stream(), data in "[a-z{}\n ]{0,20}") {
        let rewritten: Vec<u8> = all(&stream).iter().flat_map(|event| event.with_data(data.as_bytes()).to_vec()).collect();
        let expected = vec![data; client_view(&stream).len()];
        prop_assert_eq!(client_view(&rewritten), expected);
    }

    #[test]
    fn bytes_never_panic(stream in prop::collection::vec(any::<u8>(), 0..200)) {
        for event in all(&stream) {
            event.with_data(b"x");
        }
    }
}
