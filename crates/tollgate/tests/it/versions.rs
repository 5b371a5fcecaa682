//! One listener for both versions of HTTP that clients speak without TLS, however their first bytes come.

use reqwest::{Client, Version};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::stack::Stack;

#[tokio::test(flavor = "multi_thread")]
async fn http_1_and_http_2_are_told_apart_by_what_comes_first() {
    let process = Stack::start().await.serve(&["gateway"]).await;
    let url = format!("{}/healthz", process.url);
    let clients = [
        (Client::builder().http1_only(), Version::HTTP_11),
        (Client::builder().http2_prior_knowledge(), Version::HTTP_2),
    ];
    for (client, version) in clients {
        let answer = client.build().unwrap().get(&url).send().await.unwrap();
        assert_eq!((answer.version(), answer.status().as_u16()), (version, 200));
    }
    // `P` could be the beginning of either.
    let address = process.url.trim_start_matches("http://");
    for first in ["P", "PO", "POST /healthz"] {
        let request = format!(
            "POST /healthz HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
        stream.write_all(&request.as_bytes()[first.len()..]).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 405 "), "{first}: {answer}");
    }
}
