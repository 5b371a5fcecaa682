//! Streams over connections of their own: what is sent, what is refused, and when they are given up. How answers are read is held
//! against `hyper` inside the crate.

use std::time::Duration;

use bytes::Bytes;
use egress::{Client, EgressConfig, EgressError, Phase};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use prometheus::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::server::{Piece, Server, get, now, patient};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

/// What opening a stream to a server with this answer, and reading it to its end, brings.
async fn opened(answer: Vec<Piece>) -> Result<(Response<()>, Bytes), EgressError> {
    let server = Server::start(answer, true).await;
    let (head, body) = patient(2000).open(get(&server.url())).await?.into_parts();
    Ok((Response::from_parts(head, ()), body.read(1_000_000).await?))
}

#[tokio::test]
async fn the_request_is_what_the_pool_would_send() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let url = format!("{}?a=b%20c", server.url());
    let named =
        || Request::get(&url).header("host", "other.example").header("x-two", "a").header("x-two", "b");
    let post = || Request::post(format!("http://127.0.0.1:{}", server.port));
    let requests: [&dyn Fn() -> Request<Bytes>; 4] = [
        &|| get(&url),
        &|| named().body(Bytes::new()).unwrap(),
        &|| post().body(Bytes::from_static(b"{}")).unwrap(),
        &|| post().body(Bytes::new()).unwrap(),
    ];
    for request in requests {
        let client = patient(2000);
        client.send(request()).await.unwrap();
        client.open(request()).await.unwrap();
    }
    let seen = server.seen.lock().unwrap();
    let lines = |head: &String| {
        let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines
    };
    assert_eq!(seen.heads.len(), 8);
    for pair in seen.heads.chunks(2) {
        assert_eq!(lines(&pair[0]), lines(&pair[1]));
    }
    assert!(seen.heads[0].starts_with("GET /mcp?a=b%20c HTTP/1.1\r\n"), "{}", seen.heads[0]);
    assert!(seen.heads[5].starts_with("POST / HTTP/1.1\r\n") && seen.heads[5].ends_with("\r\n\r\n{}"));
}

#[tokio::test]
async fn what_comes_in_pieces_is_one_stream() {
    let pieces = [
        "HTTP/1.1 100 Continue\r\n\r",
        "\nHTTP/1.1 200 OK\r\ntransfer-enc",
        "oding: chunked\r\n\r\n5;x=y\r\nhel",
    ];
    let wait = Duration::from_millis(20);
    let pieces = pieces.into_iter().chain(["lo\r", "\n7", "\r\n, world\r\n0\r\nexpires: 0\r\n\r\n"]);
    let (head, body) = opened(pieces.map(|piece| (wait, piece)).collect()).await.unwrap();
    assert_eq!((head.status(), &body[..]), (StatusCode::OK, &b"hello, world"[..]));
}

#[tokio::test]
async fn each_stream_has_a_connection_that_is_closed_with_it() {
    let pieces = vec![now(HEAD), now("3\r\none\r\n"), (Duration::from_mins(1), "0\r\n\r\n")];
    let server = Server::start(pieces, false).await;
    let (client, registry) = (patient(5000), Registry::new());
    client.register(&registry).unwrap();
    let standing = || {
        let families = registry.gather();
        let open = families.iter().find(|family| family.name() == "tollgate_upstream_connections").unwrap();
        open.get_metric()[0].get_gauge().get_value().to_string()
    };
    let mut streams = Vec::new();
    for count in 1..=3 {
        let mut body = client.open(get(&server.url())).await.unwrap().into_body();
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "one");
        streams.push(body);
        assert_eq!(standing(), count.to_string());
    }
    assert_eq!(server.seen.lock().unwrap().connections, 3);
    drop(streams);
    assert_eq!(standing(), "0");
}

#[tokio::test]
async fn the_server_sees_that_a_stream_was_left() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let left = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            socket.read_buf(&mut request).await.unwrap();
        }
        socket.write_all(HEAD.as_bytes()).await.unwrap();
        socket.read_buf(&mut request).await.unwrap()
    });
    drop(patient(5000).open(get(&url)).await.unwrap());
    assert_eq!(left.await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_that_comes_before_the_request_was_read_counts() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let answering = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig").await.unwrap();
        // Reads on, as a server has to that wants its answer to arrive.
        tokio::io::copy(&mut socket, &mut tokio::io::sink()).await.unwrap()
    });
    let request = Request::post(url).body(Bytes::from(vec![b'x'; 4 << 20])).unwrap();
    let response = patient(5000).open(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(response.into_body().read(3).await.unwrap(), "big");
    assert!(answering.await.unwrap() > 4 << 20);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    for begun in ["", "HTTP/1.1 200 OK\r\nx: ", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let server = Server::start(vec![now(begun), (Duration::from_mins(1), HEAD)], false).await;
        let error = patient(100).open(get(&server.url())).await.unwrap_err();
        assert_eq!(error, EgressError::Timeout(Phase::FirstByte));
        assert!(!error.never_sent());
    }
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    for last in ["3\r\none\r\n", "3;", "5\r\none"] {
        let pieces = vec![now(HEAD), now(last), (Duration::from_mins(1), "0\r\n\r\n")];
        let server = Server::start(pieces, false).await;
        let response = patient(100).open(get(&server.url())).await.unwrap();
        assert_eq!(response.into_body().read(100).await.unwrap_err(), EgressError::Timeout(Phase::Idle));
    }
}

#[tokio::test]
async fn a_stream_may_last_longer_than_every_limit_as_long_as_it_moves() {
    let tick = (Duration::from_millis(80), "3\r\none\r\n");
    let pieces = vec![now(HEAD), tick, tick, tick, tick, tick, tick, tick, now("0\r\n\r\n")];
    let server = Server::start(pieces, false).await;
    let response = patient(400).open(get(&server.url())).await.unwrap();
    assert_eq!(response.into_body().read(100).await.unwrap(), "one".repeat(7));
}

#[tokio::test]
async fn a_large_event_comes_whole() {
    let event = "x".repeat(300_000);
    let chunk = format!("{:x}\r\n{event}\r\n0\r\n\r\n", event.len());
    let (_, body) = opened(vec![now(HEAD), now(chunk.leak())]).await.unwrap();
    assert_eq!(body, event);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_broken_and_not_asked_for_again() {
    let cut = vec![now(HEAD), now("5\r\nhel")];
    for answer in [vec![], vec![now("HTTP/1.1 200 OK\r\n")], cut, vec![now("no HTTP at all\r\n")]] {
        let server = Server::start(answer, true).await;
        let error = match patient(2000).open(get(&server.url())).await {
            Ok(response) => response.into_body().read(100).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error, EgressError::Broken);
        assert!(!error.never_sent());
        assert_eq!(server.seen.lock().unwrap().heads.len(), 1);
    }
}

#[tokio::test]
async fn what_has_to_be_held_has_a_bound() {
    let head =
        |bytes: usize| vec![now(format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(bytes)).leak())];
    assert_eq!(opened(head(60_000)).await.unwrap().0.headers()["x"].len(), 60_000);
    assert_eq!(opened(head(66_000)).await.unwrap_err(), EgressError::Broken);

    let headers =
        |count: usize| vec![now(format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(count)).leak())];
    assert_eq!(opened(headers(100)).await.unwrap().0.headers().len(), 100);
    assert_eq!(opened(headers(101)).await.unwrap_err(), EgressError::Broken);

    let chunks = |extension: usize, trailer: usize| {
        let (extension, trailer) = ("e".repeat(extension), "t".repeat(trailer));
        let chunk = format!("1;{extension}\r\na\r\n");
        vec![now(HEAD), now(format!("{chunk}{chunk}0;{extension}\r\nx: {trailer}\r\n\r\n").leak())]
    };
    assert_eq!(opened(chunks(16_000, 16_000)).await.unwrap().1, "aa");
    assert_eq!(opened(chunks(17_000, 0)).await.unwrap_err(), EgressError::Broken);
    assert_eq!(opened(chunks(0, 17_000)).await.unwrap_err(), EgressError::Broken);
}

#[tokio::test]
async fn what_may_not_be_called_is_refused_for_a_stream_too() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let url = server.url();
    let strict = Client::new(EgressConfig::default()).unwrap();
    assert_eq!(strict.open(get(&url)).await.unwrap_err(), EgressError::Insecure);
    let guarded = Client::new(EgressConfig { allow_http: true, ..EgressConfig::default() }).unwrap();
    for host in ["127.0.0.1", "localhost", "[::1]", "0x7f.0.0.1"] {
        let refused = guarded.open(get(&format!("http://{host}:{}/mcp", server.port))).await.unwrap_err();
        assert!(matches!(refused, EgressError::PrivateAddress(_)), "{host}: {refused}");
    }
    assert_eq!(server.seen.lock().unwrap().connections, 0);

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = patient(2000).open(get(&format!("http://{closed}/"))).await.unwrap_err();
    assert_eq!(error, EgressError::Connect);
    let error = patient(2000).open(get("http://nowhere.invalid/mcp")).await.unwrap_err();
    assert_eq!(error, EgressError::Unresolvable("nowhere.invalid".to_owned()));
}

#[tokio::test]
async fn a_stream_over_tls_goes_through_the_pool() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/mcp", listener.local_addr().unwrap());
    let hello = tokio::spawn(async move {
        let mut first = [0; 1];
        listener.accept().await.unwrap().0.read_exact(&mut first).await.unwrap();
        first[0]
    });
    patient(2000).open(get(&url)).await.unwrap_err();
    assert_eq!(hello.await.unwrap(), 22, "the first byte is that of a TLS handshake");
}
