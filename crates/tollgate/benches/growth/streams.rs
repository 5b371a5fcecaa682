//! Open event streams: what each of them costs the gateway's process.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Api, Installation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{memory, say, upstream};

/// KiB that a stream may cost.
const BOUND: u64 = 20;
/// Streams that are opened at the same time.
const AT_ONCE: usize = 50;
/// Files that a process needs besides those of streams.
const OTHER_FILES: u64 = 150;
/// How long the streams are left alone before memory is read: a look or two at their grant.
const REST: Duration = Duration::from_secs(5);

pub async fn run(wanted: usize) {
    // Each has a connection to the client and one to the upstream.
    let possible = usize::try_from(memory::files().saturating_sub(OTHER_FILES) / 2).unwrap();
    let count = wanted.min(possible);
    if count < wanted {
        say(&format!("the limit of open files leaves room for {count} streams of {wanted}"));
    }
    let (_upstream, url) = upstream::start().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let installation = Installation::of(Path::new(env!("CARGO_BIN_EXE_tollgate")), folder).await;
    let control = installation.serve(&["control"]).await;
    let gateway = installation.serve(&["gateway"]).await;
    let api = Api::sign_up(&control.url).await;
    // The one of the two that has sessions.
    let server = api.register("Flowforge", url.trim_end_matches("/json"), &[]).await;
    let policy = api.policy(&server, "bench", &json!({ "version": "1", "default": "allow" })).await;
    let token = api.mint(&server, &policy, "bench").await.token;

    let address = gateway.url.trim_start_matches("http://").to_owned();
    let session = session(&format!("{}/mcp/{server}", gateway.url), &token).await;
    let request = format!(
        "GET /mcp/{server} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
         accept: text/event-stream\r\nmcp-protocol-version: 2025-06-18\r\nmcp-session-id: {session}\r\n\
         user-agent: bench/1\r\n\r\n"
    );
    let process = gateway.id().unwrap();
    let mut open = Vec::with_capacity(count);
    // The first are not counted: threads, pools and scripts come with them.
    open_streams(&mut open, AT_ONCE, &address, &request).await;
    let before = memory::resident(process);
    let start = Instant::now();
    open_streams(&mut open, count, &address, &request).await;
    let took = start.elapsed();
    tokio::time::sleep(REST).await;
    let after = memory::resident(process);
    let added = u64::try_from(count - AT_ONCE).unwrap();
    let tenths = (after - before) * 10 / added;
    say(&format!("{count} streams opened in {:.1} s", took.as_secs_f64()));
    say(&format!(
        "memory: {} MiB before, {} MiB with them, {}.{} KiB each",
        before / 1024,
        after / 1024,
        tenths / 10,
        tenths % 10
    ));
    assert!(after - before <= added * BOUND, "a stream costs more than {BOUND} KiB");
}

/// A session at the server, by the name that the gateway gives it.
async fn session(url: &str, token: &str) -> String {
    let params = json!({
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "bench", "version": "1" }
    });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
    let request = reqwest::Client::new()
        .post(url)
        .bearer_auth(token)
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .body(message.to_string());
    let response = request.send().await.unwrap();
    let session = response.headers().get("mcp-session-id");
    session.unwrap_or_else(|| panic!("no session: {response:?}")).to_str().unwrap().to_owned()
}

/// Opens streams until there are `count`.
async fn open_streams(open: &mut Vec<TcpStream>, count: usize, address: &str, request: &str) {
    while open.len() < count {
        let mut opening = JoinSet::new();
        for _ in 0..AT_ONCE.min(count - open.len()) {
            opening.spawn(one(address.to_owned(), request.to_owned()));
        }
        open.extend(opening.join_all().await);
    }
}

/// One stream, when its first comment is here.
async fn one(address: String, request: String) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(1024);
    while !answer.windows(6).any(|window| window == b": open") {
        let read = stream.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "the stream ended: {}", String::from_utf8_lossy(&answer));
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    stream
}
