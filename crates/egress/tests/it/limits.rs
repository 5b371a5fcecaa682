//! Time and size limits: each phase has its own, and a stream as a whole has none.

use std::time::Duration;

use egress::{EgressError, Phase};

use crate::server::{Server, get, now, patient};

const HEAD: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(vec![(Duration::from_mins(1), HEAD)], false).await;
    let error = patient(100).send(get(&server.url())).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout(Phase::FirstByte));
    assert!(!error.never_sent());
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_given_up() {
    let pieces = vec![now(HEAD), now("3\r\none\r\n"), (Duration::from_mins(1), "0\r\n\r\n")];
    let server = Server::start(pieces, false).await;
    let response = patient(100).send(get(&server.url())).await.unwrap();
    assert_eq!(response.into_body().read(100).await.unwrap_err(), EgressError::Timeout(Phase::Idle));
}

#[tokio::test]
async fn a_stream_may_last_longer_than_every_limit_as_long_as_it_moves() {
    let tick = (Duration::from_millis(80), "3\r\none\r\n");
    let pieces = vec![now(HEAD), tick, tick, tick, tick, tick, tick, tick, now("0\r\n\r\n")];
    let server = Server::start(pieces, false).await;
    let response = patient(400).send(get(&server.url())).await.unwrap();
    assert_eq!(response.into_body().read(100).await.unwrap(), "one".repeat(7));
}

#[tokio::test]
async fn a_body_over_the_cap_is_refused_declared_or_not() {
    let declared = now("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello world");
    let client = patient(2000);
    let server = Server::start(vec![declared], false).await;
    let response = client.send(get(&server.url())).await.unwrap();
    assert_eq!(response.into_body().read(10).await, Err(EgressError::TooLarge { max: 10 }));
    let response = client.send(get(&server.url())).await.unwrap();
    assert_eq!(response.into_body().read(11).await.unwrap(), "hello world");

    let chunked = Server::start(vec![now(HEAD), now("6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n")], false).await;
    let response = client.send(get(&chunked.url())).await.unwrap();
    assert_eq!(response.into_body().read(10).await, Err(EgressError::TooLarge { max: 10 }));
    let response = client.send(get(&chunked.url())).await.unwrap();
    assert_eq!(response.into_body().read(11).await.unwrap(), "hello world");
}

#[tokio::test]
async fn a_document_comes_whole_and_in_time_or_not_at_all() {
    let client = patient(5000);
    let server = Server::start(vec![now(HEAD), now("5\r\nhello\r\n0\r\n\r\n")], false).await;
    let soon = Duration::from_secs(5);
    assert_eq!(client.fetch(get(&server.url()), 5, soon).await.unwrap().into_body(), "hello");
    let error = client.fetch(get(&server.url()), 4, soon).await.unwrap_err();
    assert_eq!(error, EgressError::TooLarge { max: 4 });

    // Each piece is in time, the whole never is.
    let tick = (Duration::from_millis(40), "1\r\nx\r\n");
    let mut pieces = vec![now(HEAD)];
    pieces.extend(std::iter::repeat_n(tick, 1000));
    let trickle = Server::start(pieces, false).await;
    let error = client.fetch(get(&trickle.url()), 5000, Duration::from_millis(200)).await.unwrap_err();
    assert_eq!(error, EgressError::Timeout(Phase::FirstByte));
}
