//! Calls that are refused before, or fail before, a request is written.

use domain::UpstreamUrl;
use egress::{Client, EgressConfig, EgressError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::server::{Server, get, now, patient};

fn guarded() -> Client {
    Client::new(EgressConfig { allow_http: true, ..EgressConfig::default() }).unwrap()
}

#[tokio::test]
async fn an_inner_address_is_refused_however_it_is_written() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let client = guarded();
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1", "2130706433", "0x7f.0.0.1"]
    {
        let url = format!("http://{host}:{}/mcp", server.port);
        let refused = client.send(get(&url)).await.unwrap_err();
        assert!(matches!(refused, EgressError::PrivateAddress(_)), "{host}: {refused}");
        let checked = client.check(&url.parse::<UpstreamUrl>().unwrap()).await;
        assert!(matches!(checked, Err(EgressError::PrivateAddress(_))), "{host}: {checked:?}");
    }
    assert_eq!(server.seen.lock().unwrap().connections, 0);
}

#[tokio::test]
async fn a_librarys_own_client_is_under_the_same_guard() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let client = guarded();
    let literal = server.url().parse::<UpstreamUrl>().unwrap();
    assert!(matches!(client.http_client(&literal), Err(EgressError::PrivateAddress(_))));

    let name = format!("http://localhost:{}/mcp", server.port);
    let http = client.http_client(&name.parse::<UpstreamUrl>().unwrap()).unwrap();
    assert!(http.get(&name).send().await.is_err());
    assert_eq!(server.seen.lock().unwrap().connections, 0);
}

#[tokio::test]
async fn a_name_without_address_is_unresolvable() {
    let client = guarded();
    let error = client.send(get("http://nowhere.invalid/mcp")).await.unwrap_err();
    assert_eq!(error, EgressError::Unresolvable("nowhere.invalid".to_owned()));
    assert!(error.never_sent());
    let url = "http://nowhere.invalid/mcp".parse::<UpstreamUrl>().unwrap();
    assert_eq!(client.check(&url).await, Err(error));
}

#[tokio::test]
async fn a_closed_port_refuses_the_connection() {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let error = patient(2000).send(get(&format!("http://127.0.0.1:{port}/"))).await.unwrap_err();
    assert_eq!(error, EgressError::Connect);
    assert!(error.never_sent());
}

#[tokio::test]
async fn https_to_a_port_that_speaks_http_is_a_tls_error_that_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = patient(2000).send(get(&format!("https://127.0.0.1:{port}/"))).await.unwrap_err();
    assert!(matches!(&error, EgressError::Tls(reason) if reason.contains("does not speak TLS")), "{error:?}");
    assert!(error.never_sent());
}

#[tokio::test]
async fn plain_http_is_called_only_where_the_installation_allows_it() {
    let server = Server::start(vec![now("HTTP/1.1 204 No Content\r\n\r\n")], false).await;
    let networks = vec!["127.0.0.0/8".parse().unwrap()];
    let strict = Client::new(EgressConfig { networks: networks.clone(), ..EgressConfig::default() }).unwrap();
    let url = server.url().parse::<UpstreamUrl>().unwrap();
    assert_eq!(strict.check(&url).await, Err(EgressError::Insecure));
    assert_eq!(strict.send(get(&server.url())).await.unwrap_err(), EgressError::Insecure);
    assert!(matches!(strict.http_client(&url), Err(EgressError::Insecure)));
    assert_eq!(server.seen.lock().unwrap().connections, 0);

    let lenient = EgressConfig { networks, allow_http: true, ..EgressConfig::default() };
    assert_eq!(Client::new(lenient).unwrap().send(get(&server.url())).await.unwrap().status(), 204);
}

#[tokio::test]
async fn the_words_for_an_inner_host_are_those_for_an_unknown_one() {
    let words = |error: EgressError| {
        error.to_string().replace("nowhere.invalid", "HOST").replace("localhost", "HOST")
    };
    let unknown = guarded().send(get("http://nowhere.invalid/mcp")).await.unwrap_err();
    let inner = guarded().send(get("http://localhost/mcp")).await.unwrap_err();
    assert_ne!(unknown, inner);
    assert_eq!(words(unknown), words(inner));
}
