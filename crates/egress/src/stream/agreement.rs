//! The same bytes, read by us and by `hyper`: both understand the same of them, or both refuse them, however they are cut and
//! whichever of them is another.

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use prometheus::IntGauge;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::exchange;
use crate::counted::Standing;

/// Answers that are understood, and what of them is body.
const GOOD: &[(&str, &str)] = &[
    (
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Two: a\r\nx-two: b\r\n\r\nto the end",
        "to the end",
    ),
    ("HTTP/1.0 200 OK\r\n\r\nto the end", "to the end"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "hello"),
    ("HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\ncontent-length: 05\r\n\r\nhello and more", "hello"),
    ("HTTP/1.1 204 No Content\r\n\r\n", ""),
    ("HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", ""),
    ("HTTP/1.1 405\r\ncontent-length: 0\r\n\r\n", ""),
    ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\nbody", "body"),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello"),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\ncontent-length: 3\r\n\r\n\
         0005;a=\"b;\"\r\nhello\r\n7 ;c\r\n, world\r\n0\r\n\r\nand more",
        "hello, world",
    ),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\nA \t\r\n0123456789\r\n0;last\r\n\r\n",
        "0123456789",
    ),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n1\r\na\r\n", "1\r\na\r\n"),
    (
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nexpires: 0\r\nx: y\r\n\r\n",
        "onetwo",
    ),
    ("HTTP/1.1 200 OK\nserver: careless\n\nbody", "body"),
];

/// Answers that are refused, all of them or at their end.
const BAD: &[&str] = &[
    "",
    "SSH-2.0-OpenSSH_9.9\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1 000 None\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "HTTP/1.1 200 OK\r\nx: a\r\n folded\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell",
    "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\nhello",
    "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello world\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n 5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\nhello\n0\n\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n10000000000000000\r\nhello\r\n0\r\n\r\n",
];

/// What was understood of an answer.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    /// Status, version, names and values.
    head: Option<String>,
    body: Vec<u8>,
    whole: bool,
}

impl Read {
    const NOTHING: Self = Self { head: None, body: Vec::new(), whole: false };

    async fn of<B: HttpBody<Data = Bytes> + Unpin>(response: Response<B>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let head = format!("{} {:?} {:?}", head.status.as_u16(), head.version, head.headers);
        let mut body = Vec::new();
        while let Some(frame) = incoming.frame().await {
            match frame {
                Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => return Self { head: Some(head), body, whole: false },
            }
        }
        Self { head: Some(head), body, whole: true }
    }
}

fn request<B>(body: B) -> Request<B> {
    Request::get("http://upstream.example/mcp").body(body).unwrap()
}

/// A server that answers with these bytes, so many of them at a time, and closes.
fn server(answer: &[u8], cut: usize) -> DuplexStream {
    let (client, mut server) = duplex(cut);
    let answer = answer.to_vec();
    tokio::spawn(async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && server.read_buf(&mut head).await.unwrap_or_default() > 0 {}
        let _ = server.write_all(&answer).await;
    });
    client
}

async fn ours(answer: &[u8], cut: usize) -> Read {
    let standing = Standing::new(&IntGauge::new("open", "open").unwrap());
    match exchange((server(answer, cut), standing), request(Bytes::new())).await {
        Ok(response) => Read::of(response).await,
        Err(_) => Read::NOTHING,
    }
}

async fn hypers(answer: &[u8], cut: usize) -> Read {
    let io = TokioIo::new(server(answer, cut));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let read = match sender.send_request(request(Full::new(Bytes::new()))).await {
        Ok(response) => Read::of(response).await,
        Err(_) => Read::NOTHING,
    };
    connection.abort();
    read
}

#[tokio::test]
async fn what_is_understood_is_the_same_however_it_is_cut() {
    for (answer, body) in GOOD {
        let read = hypers(answer.as_bytes(), answer.len()).await;
        assert_eq!((str::from_utf8(&read.body), read.whole), (Ok(*body), true), "{answer:?}");
        for cut in 1..=answer.len() {
            assert_eq!(ours(answer.as_bytes(), cut).await, read, "{answer:?} by {cut}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_is_the_same_and_what_came_before_it_is_not_lost() {
    for answer in BAD {
        let read = hypers(answer.as_bytes(), answer.len().max(1)).await;
        assert!(!read.whole, "{answer:?}");
        for cut in 1..=answer.len().max(1) {
            assert_eq!(ours(answer.as_bytes(), cut).await, read, "{answer:?} by {cut}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_ends_anywhere_is_refused_by_both_or_neither() {
    for (answer, _) in GOOD {
        for end in 0..answer.len() {
            let (answer, cut) = (&answer.as_bytes()[..end], end.max(1));
            assert_eq!(ours(answer, cut).await, hypers(answer, cut).await, "{}", answer.escape_ascii());
        }
    }
}

#[tokio::test]
async fn a_byte_that_is_another_means_the_same_to_both() {
    for (answer, _) in GOOD {
        for place in 0..answer.len() {
            for other in *b"\r\n\t 01f;:,+\0\xff" {
                // `hyper` takes half of an end of a line for one among trailers.
                if other == b'\n' && answer.find("expires").is_some_and(|trailers| place >= trailers) {
                    continue;
                }
                let mut answer = answer.as_bytes().to_vec();
                answer[place] = other;
                let (ours, hypers) = (ours(&answer, answer.len()).await, hypers(&answer, answer.len()).await);
                assert_eq!(ours, hypers, "{}", answer.escape_ascii());
            }
        }
    }
}
