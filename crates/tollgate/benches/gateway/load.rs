//! The caller: as many connections as asked for, each sending its next call when the last is answered. As light as it can
//! be, since it shares the cores with what it measures: one request, made once, and just enough reading to know the end.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{RUN, TOOL};

/// Calls before this are not counted: connections, caches and pools are warm after it.
const WARM_UP: Duration = Duration::from_millis(500);

/// Who is called.
#[derive(Clone)]
pub struct Target {
    pub name: &'static str,
    address: SocketAddr,
    request: Vec<u8>,
}

/// What one run measured.
#[derive(Default)]
pub struct Sample {
    /// Microseconds of each call.
    pub latencies: Vec<u32>,
    /// Calls that were not answered with the tool's result.
    pub wrong: usize,
    /// All calls, warm-up too.
    pub made: u64,
}

/// So many calls a second, over so many connections.
#[derive(Clone, Copy)]
pub struct Pace {
    pub connections: usize,
    pub calls_per_second: u32,
}

impl Sample {
    /// Adds another run.
    pub fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.wrong += other.wrong;
        self.made += other.made;
    }
}

impl Target {
    /// The same `tools/call` for everybody, but for the address.
    pub fn new(name: &'static str, address: SocketAddr, path: &str, token: &str) -> Self {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "name": TOOL, "arguments": { "run_id": RUN }, "_meta": meta });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
             mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: {TOOL}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { name, address, request: request.into_bytes() }
    }
}

/// Calls `target` over `concurrency` connections for `measured`.
pub async fn run(target: &Target, concurrency: usize, measured: Duration) -> Sample {
    let counted_from = Instant::now() + WARM_UP;
    let mut connections = JoinSet::new();
    for _ in 0..concurrency {
        connections.spawn(connection(target.clone(), counted_from, counted_from + measured, None));
    }
    together(connections).await
}

/// Calls these targets by turns at a pace, for `measured` after the warm-up.
pub async fn paced(targets: &[Target], pace: Pace, measured: Duration) -> Sample {
    let counted_from = Instant::now() + WARM_UP;
    let connections_now = u32::try_from(pace.connections).unwrap();
    let between = Duration::from_secs(1) * connections_now / pace.calls_per_second;
    let mut connections = JoinSet::new();
    for (number, target) in (0..connections_now).zip(targets.iter().cycle()) {
        let first = Instant::now() + between * number / connections_now;
        let pace = Some((first, between));
        connections.spawn(connection(target.clone(), counted_from, counted_from + measured, pace));
    }
    together(connections).await
}

async fn together(connections: JoinSet<Sample>) -> Sample {
    let mut all = Sample::default();
    for one in connections.join_all().await {
        all.add(one);
    }
    all
}

async fn connection(
    target: Target,
    counted_from: Instant,
    until: Instant,
    mut pace: Option<(Instant, Duration)>,
) -> Sample {
    let mut stream = TcpStream::connect(target.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut sample = Sample::default();
    let mut answer = Vec::with_capacity(8192);
    loop {
        if let Some((next, between)) = &mut pace {
            tokio::time::sleep_until((*next).into()).await;
            *next += *between;
        }
        let start = Instant::now();
        if start >= until {
            return sample;
        }
        stream.write_all(&target.request).await.unwrap();
        read_answer(&mut stream, &mut answer).await;
        let end = Instant::now();
        sample.made += 1;
        let right = answer.starts_with(b"HTTP/1.1 200 ") && contains(&answer, br#""isError":false"#);
        sample.wrong += usize::from(!right);
        if start >= counted_from && end <= until {
            sample.latencies.push(u32::try_from((end - start).as_micros()).unwrap_or(u32::MAX));
        }
    }
}

/// Reads one whole answer, its length given or chunked.
async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    answer.clear();
    let mut ends: Option<Option<usize>> = None;
    loop {
        let read = stream.read_buf(answer).await.unwrap();
        assert!(read > 0, "the connection ended within an answer: {}", String::from_utf8_lossy(answer));
        if ends.is_none()
            && let Some(head) = find(answer, b"\r\n\r\n")
        {
            ends = Some(content_length(&answer[..head]).map(|length| head + 4 + length));
        }
        match ends {
            Some(Some(end)) if answer.len() >= end => return,
            Some(None) if answer.ends_with(b"\r\n0\r\n\r\n") => return,
            _ => {}
        }
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(b"content-length:".len())?;
        name.eq_ignore_ascii_case(b"content-length:")
            .then(|| std::str::from_utf8(value).ok()?.trim().parse().ok())?
    })
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    find(text, wanted).is_some()
}
