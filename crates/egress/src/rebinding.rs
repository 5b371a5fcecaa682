//! A name server that changes its answers between look-ups, which only a test inside the crate can play.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use domain::UpstreamUrl;
use tokio::net::TcpListener;

use crate::connect::Lookup;
use crate::{Client, EgressConfig, EgressError};

fn client(answers: &[&[&str]]) -> Client {
    let parse = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
    let answers = Arc::new(Mutex::new(answers.iter().map(parse).collect()));
    let config = EgressConfig { allow_http: true, ..EgressConfig::default() };
    Client::with_lookup(config, Lookup::Scripted(answers)).unwrap()
}

fn request(url: &str) -> http::Request<Bytes> {
    http::Request::get(url).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn an_answer_that_turns_private_after_the_check_is_refused() {
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://rebind.example:{}/mcp", inside.local_addr().unwrap().port());
    let client = client(&[&["93.184.215.14"], &["127.0.0.1"], &["127.0.0.1"]]);

    assert_eq!(client.check(&url.parse::<UpstreamUrl>().unwrap()).await, Ok(()));
    let refused = client.send(request(&url)).await.unwrap_err();
    assert_eq!(refused, EgressError::PrivateAddress("rebind.example".to_owned()));
    assert_eq!(client.open(request(&url)).await.unwrap_err(), refused);
    let reached = tokio::time::timeout(Duration::from_millis(100), inside.accept()).await;
    assert!(reached.is_err(), "the inner listener was reached");
}

#[tokio::test]
async fn the_socket_is_opened_to_the_address_that_was_looked_at() {
    let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://rebind.example:{}/mcp", inside.local_addr().unwrap().port());
    // A second look-up would be answered with the inner address. Nothing of ours listens on the first, so connecting
    // to it must fail, and not be refused.
    let connect_timeout = Duration::from_millis(200);
    let config = EgressConfig { connect_timeout, allow_http: true, ..EgressConfig::default() };
    let answers = vec![vec!["93.184.215.14".parse().unwrap()], vec!["127.0.0.1".parse().unwrap()]];
    let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
    let client = Client::with_lookup(config, Lookup::Scripted(Arc::clone(&answers))).unwrap();

    let error = client.send(request(&url)).await.unwrap_err();
    assert!(error.never_sent() && !matches!(error, EgressError::PrivateAddress(_)), "{error}");
    assert_eq!(answers.lock().unwrap().len(), 1, "the name was resolved twice");
    assert!(tokio::time::timeout(Duration::from_millis(100), inside.accept()).await.is_err());
}

#[tokio::test]
async fn one_private_address_among_public_ones_refuses_the_name() {
    for inner in ["10.0.0.7", "::1", "::ffff:169.254.169.254", "fd00::1", "100.64.3.2"] {
        let client = client(&[&["1.1.1.1", inner]]);
        let url = "https://mixed.example/mcp".parse::<UpstreamUrl>().unwrap();
        let refused = Err(EgressError::PrivateAddress("mixed.example".to_owned()));
        assert_eq!(client.check(&url).await, refused, "{inner}");
    }
}
