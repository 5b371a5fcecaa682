//! Stopping: gateways are replaced one after another under load, and nobody notices.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use testkit::{Api, Balancer, eventually};
use tokio::task::JoinSet;

use crate::caller::Caller;
use crate::stack::Stack;

const TOOL: &str = "flowforge_health_check";
const CALLERS: usize = 8;
const RESTARTS: usize = 4;
/// Answers between two restarts.
const BETWEEN: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn gateways_are_replaced_under_load_without_a_failed_call() {
    let stack = Stack::start().await;
    let control = stack.serve(&["control", "audit"]).await;
    let api = Api::sign_up(&control.url).await;
    let server = stack.register(&api, "/mcp/json").await;
    let policy = api.policy(&server, "all", &json!({ "version": "1", "default": "allow" })).await;
    let grant = api.mint(&server, &policy, "rolling").await;

    let balancer = Balancer::start().await;
    let settings = [("TOLLGATE_URL", balancer.url.as_str()), ("TOLLGATE_NOTICE", "1")];
    let start = async || {
        let gateway = stack.serve_with(&["gateway"], &settings).await;
        balancer.add(&gateway.url);
        gateway
    };
    let mut gateways = vec![start().await, start().await];
    eventually("both gateways are seen", async || (balancer.ready() == 2).then_some(())).await;

    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let caller = Caller::new(&balancer.url, &server, &grant.token);
        let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
        callers.spawn(async move {
            let mut seen = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let answer = caller.call(TOOL, &json!({})).await.expect("an answer");
                assert!(answer.allowed(), "{answer:?}");
                seen.push(answer.request_id);
                answered.fetch_add(1, Ordering::Relaxed);
            }
            seen
        });
    }
    for _ in 0..RESTARTS {
        let wanted = answered.load(Ordering::Relaxed) + BETWEEN;
        eventually("answers under load", async || (answered.load(Ordering::Relaxed) >= wanted).then_some(()))
            .await;
        let old = gateways.remove(0);
        gateways.push(start().await);
        eventually("the new gateway is seen", async || (balancer.ready() == 3).then_some(())).await;
        assert!(old.stop().await.success(), "a gateway stops well");
    }
    stop.store(true, Ordering::Relaxed);
    let seen = callers.join_all().await.concat();

    let rows = eventually("each call has its row", async || {
        let mut rows: HashMap<String, Value> = HashMap::new();
        for row in api.decisions("").await {
            let id = row["id"].as_str().unwrap().to_owned();
            assert!(rows.insert(id.clone(), row).is_none(), "{id} is there twice");
        }
        let closed = rows.values().all(|row| row["completion"] == "closed");
        (closed && seen.iter().all(|id| rows.contains_key(id))).then_some(rows)
    })
    .await;
    assert_eq!(rows.len(), seen.len(), "a row that nobody was answered for");
    assert!(rows.values().all(|row| row["outcome"] == "allow"), "none is unknown or failed");
    assert_eq!(stack.reached().await["total"], seen.len(), "every call reached the upstream once");
}
