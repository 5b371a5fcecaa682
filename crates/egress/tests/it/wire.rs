//! What goes over the wire, and what is left alone.

use egress::{Client, EgressConfig, EgressError};
use http::StatusCode;

use crate::server::{Server, get, now, patient};

#[tokio::test]
async fn nothing_is_added_to_the_request_but_its_host() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    patient(2000).send(get(&server.url())).await.unwrap();
    let head = server.seen.lock().unwrap().heads[0].clone();
    assert_eq!(head, format!("GET /mcp HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n\r\n", server.port));
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let target = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let redirect = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\n\r\n", target.url());
    let server = Server::start(vec![now(redirect.leak())], true).await;
    let response = patient(2000).send(get(&server.url())).await.unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(target.seen.lock().unwrap().connections, 0);
}

#[tokio::test]
async fn a_body_is_returned_as_it_came_and_the_connection_used_again() {
    let answer =
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\nset-cookie: a=b\r\ncontent-length: 8\r\n\r\nnot gzip";
    let server = Server::start(vec![now(answer)], false).await;
    let client = patient(2000);
    for _ in 0..3 {
        let response = client.send(get(&server.url())).await.unwrap();
        assert_eq!(response.headers()["content-encoding"], "gzip");
        assert_eq!(response.into_body().read(8).await.unwrap(), "not gzip");
    }
    let seen = server.seen.lock().unwrap();
    assert_eq!((seen.heads.len(), seen.connections), (3, 1));
    assert!(seen.heads.iter().all(|head| !head.contains("cookie")));
}

#[tokio::test]
async fn no_connection_is_kept_where_none_may_be() {
    let server = Server::start(vec![now("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")], false).await;
    let client =
        Client::new(EgressConfig { allow_private: true, pool_size: 0, ..EgressConfig::default() }).unwrap();
    for _ in 0..3 {
        let response = client.send(get(&server.url())).await.unwrap();
        assert_eq!(response.into_body().read(100).await.unwrap(), "ok");
    }
    assert_eq!(server.seen.lock().unwrap().connections, 3);
}

#[tokio::test]
async fn an_answer_cut_short_is_broken() {
    let server =
        Server::start(vec![now("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this")], true).await;
    let response = patient(2000).send(get(&server.url())).await.unwrap();
    let error = response.into_body().read(1000).await.unwrap_err();
    assert_eq!(error, EgressError::Broken);
    assert!(!error.never_sent());
}

#[tokio::test]
async fn a_request_is_not_repeated_when_the_connection_breaks() {
    let server = Server::start(vec![], true).await;
    let error = patient(2000).send(get(&server.url())).await.unwrap_err();
    assert_eq!(error, EgressError::Broken);
    assert_eq!(server.seen.lock().unwrap().heads.len(), 1);
}
