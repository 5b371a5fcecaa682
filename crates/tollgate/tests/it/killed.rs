//! `kill -9` under load: what a caller saw decided is in the log, once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{Api, Process, eventually};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::stack::Stack;

const TOOLS: [&str; 2] = ["flowforge_health_check", "flowforge_send_event"];
const CALLERS: usize = 16;
const KILLS: usize = 3;
/// Answers that are waited for before each kill, so that it hits the load in full swing.
const BETWEEN_KILLS: usize = 150;

/// Callers that go on until told to stop: what they saw decided.
struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    callers: JoinSet<Vec<(String, bool)>>,
}

impl Load {
    /// Calls an allowed and a denied tool by turns at whatever address `gateway` holds.
    fn start(gateway: &watch::Receiver<String>, server: &str, token: &str) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            let (mut gateway, server, token) = (gateway.clone(), server.to_owned(), token.to_owned());
            callers.spawn(async move {
                let mut seen = Vec::new();
                let mut turn = number;
                while !stop.load(Ordering::Relaxed) {
                    let caller = Caller::new(&gateway.borrow_and_update().clone(), &server, &token);
                    while let Ok(answer) = caller.call(TOOLS[turn % 2], &json!({})).await {
                        turn += 1;
                        let denied = answer.denied().is_some();
                        if denied || answer.body["result"].is_object() {
                            seen.push((answer.request_id, !denied));
                            answered.fetch_add(1, Ordering::Relaxed);
                        }
                        if stop.load(Ordering::Relaxed) {
                            return seen;
                        }
                    }
                    // The gateway is gone: go on when the next one is there.
                    if gateway.changed().await.is_err() {
                        return seen;
                    }
                }
                seen
            });
        }
        Self { stop, answered, callers }
    }

    /// Waits for `more` answers from now on.
    async fn goes_on(&self, more: usize) {
        let wanted = self.answered.load(Ordering::Relaxed) + more;
        eventually("answers under load", async || {
            (self.answered.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
    }

    async fn stop(self) -> Vec<(String, bool)> {
        self.stop.store(true, Ordering::Relaxed);
        self.callers.join_all().await.concat()
    }
}

async fn prepare(stack: &Stack, control: &Process) -> (Api, String, String) {
    let api = Api::sign_up(&control.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let document = json!({ "version": "1", "default": "deny", "tools": {
        TOOLS[0]: { "limits": [{ "counter": "calls", "window": "hour", "max": 1_000_000 }] },
    } });
    let policy = api.policy(&server, "load", &document).await;
    let grant = api.mint(&server, &policy, "load").await;
    (api, server, grant.token)
}

/// Waits until every decision in `seen` has its row, and holds the log to what was seen and what reached upstream.
async fn check(stack: &Stack, api: &Api, seen: &[(String, bool)]) {
    assert!(seen.len() >= KILLS * BETWEEN_KILLS);
    let rows = eventually("a row for every decision that was seen", async || {
        let mut rows: HashMap<String, Value> = HashMap::new();
        for row in api.decisions("").await {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(rows.insert(id.clone(), row).is_none(), "{id} is there twice");
        }
        seen.iter().all(|(id, _)| rows.contains_key(id)).then_some(rows)
    })
    .await;
    for (id, allowed) in seen {
        assert_eq!(rows[id]["outcome"], if *allowed { "allow" } else { "deny" }, "{id}");
    }
    let forwarded = usize::try_from(stack.reached().await["total"].as_u64().unwrap()).unwrap();
    let allowed = rows.values().filter(|row| row["outcome"] == "allow").count();
    assert!(forwarded <= allowed, "{forwarded} calls reached upstream, {allowed} are in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_loses_no_decision() {
    let stack = Stack::start().await;
    let control = stack.serve(&["control", "audit"]).await;
    let (api, server, token) = prepare(&stack, &control).await;
    let mut gateway = stack.serve(&["gateway"]).await;
    let (address, addresses) = watch::channel(gateway.url.clone());
    let load = Load::start(&addresses, &server, &token);
    for _ in 0..KILLS {
        load.goes_on(BETWEEN_KILLS).await;
        gateway.kill().await;
        gateway = stack.serve(&["gateway"]).await;
        address.send(gateway.url.clone()).unwrap();
    }
    load.goes_on(BETWEEN_KILLS).await;
    check(&stack, &api, &load.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_drain_loses_and_repeats_no_row() {
    let stack = Stack::start().await;
    let front = stack.serve(&["control", "gateway"]).await;
    let (api, server, token) = prepare(&stack, &front).await;
    let (_address, addresses) = watch::channel(front.url.clone());
    let load = Load::start(&addresses, &server, &token);
    for _ in 0..KILLS {
        let drain = stack.serve(&["audit"]).await;
        load.goes_on(BETWEEN_KILLS).await;
        drain.kill().await;
    }
    let _drain = stack.serve(&["audit"]).await;
    check(&stack, &api, &load.stop().await).await;
}
