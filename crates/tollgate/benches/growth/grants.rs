//! Many grants of many tenants, all in use: memory, look-up, and the start of a process that serves them.
//!
//! The calls are denied by their policy, so that nothing but the gateway and its ledger is in them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Api, Installation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::population::{self, Grant};
use crate::{memory, say};

/// MiB that the process may hold.
const BOUND: u64 = 300;
/// How long the process may take until it is ready.
const READY: Duration = Duration::from_secs(2);
/// Calls at once.
const CALLERS: usize = 16;
/// Few grants, to compare many with.
const FEW: usize = 10;
/// Calls of one measurement, and how many there are of each kind.
const CALLS: usize = 10_000;
const ROUNDS: usize = 6;
const TOOL: &str = "flowforge_delete_credential";

pub async fn run(count: usize) {
    let (_upstream, url) = crate::upstream::start().await;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let installation = Installation::of(Path::new(env!("CARGO_BIN_EXE_tollgate")), folder).await;
    let control = installation.serve(&["control"]).await;
    let model = Api::sign_up(&control.url).await.register("Flowforge", &url, &[]).await;
    let mut owner = installation.owner().await;
    let grants = population::write(&mut owner, model.parse().unwrap(), count, document).await;

    let start = Instant::now();
    let gateway = installation.serve(&["gateway"]).await;
    let ready = start.elapsed();
    say(&format!("ready after {} ms, with {count} grants in the tables", ready.as_millis()));
    let address = gateway.url.trim_start_matches("http://").to_owned();
    let process = gateway.id().unwrap();

    let few: Arc<[Grant]> = grants.iter().step_by(count / FEW).take(FEW).cloned().collect();
    let all: Arc<[Grant]> = grants.into();
    call(&address, &few, FEW * 10).await;
    let before = memory::resident(process);
    let start = Instant::now();
    call(&address, &all, count).await;
    let each = start.elapsed() / u32::try_from(count).unwrap();
    say(&format!("each grant called once: {} µs a call, {CALLERS} at once", each.as_micros()));
    let after = memory::resident(process);
    say(&format!(
        "memory: {} MiB with {FEW} grants in use, {} MiB with {count}",
        before / 1024,
        after / 1024
    ));

    let mut best = [Duration::MAX; 2];
    for _ in 0..ROUNDS {
        for (best, grants) in best.iter_mut().zip([&few, &all]) {
            *best = (*best).min(call(&address, grants, CALLS).await);
        }
    }
    let [few, many] = best.map(|median| median.as_micros());
    say(&format!("a call, median of the best round: {few} µs among {FEW} grants, {many} µs among {count}"));
    let last = memory::resident(process);
    say(&format!("memory at the end: {} MiB", last / 1024));
    assert!(ready <= READY, "it took too long to be ready");
    assert!(last / 1024 < BOUND, "it holds more than {BOUND} MiB");
}

/// A policy like people's; no two tenants have the same.
fn document(tenant: usize) -> String {
    json!({
        "version": "1", "default": "deny", "hide": ["flowforge_delete_*"],
        "tools": {
            "flowforge_get_run": {
                "require": [{ "path": "args.run_id", "op": "regex", "value": "^[A-Za-z0-9_-]{1,64}$" }],
                "limits": [{ "counter": "reads", "window": "hour", "max": 1000 + tenant }],
            },
            "flowforge_retry_run": { "rate_limit": { "max": 5, "window": 60 } },
            "flowforge_send_event": { "action": "deny", "reason": format!("Tenant {tenant} sends none.") },
            "flowforge_list_*": {},
        },
    })
    .to_string()
}

/// Makes `calls` calls, over all the grants as evenly as can be: the median time of one.
async fn call(address: &str, grants: &Arc<[Grant]>, calls: usize) -> Duration {
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (address, grants, next) = (address.to_owned(), Arc::clone(grants), Arc::clone(&next));
        callers.spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut took = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= calls {
                    return took;
                }
                // A prime apart, so that no two calls that follow each other are of one tenant.
                let grant = &grants[number * 7919 % grants.len()];
                let start = Instant::now();
                one(&mut stream, &address, grant).await;
                took.push(start.elapsed());
            }
        });
    }
    let mut took = callers.join_all().await.concat();
    took.sort_unstable();
    took[took.len() / 2]
}

async fn one(stream: &mut TcpStream, address: &str, grant: &Grant) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "bench", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": TOOL, "arguments": {}, "_meta": meta });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let request = format!(
        "POST /mcp/{} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: {TOOL}\r\n\
         content-length: {}\r\n\r\n{body}",
        grant.server,
        grant.token,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::with_capacity(4096);
    // A hidden tool is answered like one that does not exist: an error, which ends the JSON.
    while !answer.ends_with(b"}") {
        let read = stream.read_buf(&mut answer).await.unwrap();
        assert!(read > 0, "the connection ended within an answer");
    }
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 ") && text.contains("\"jsonrpc\""), "{text}");
}
