//! What a call costs in pieces of memory. The gateway, its connections included, is on the thread that counts; caller, upstream and
//! Redis are elsewhere.

use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::client::Door;
use crate::world::{Grant, World, plain};

/// Calls that are counted together.
const CALLS: u64 = 50;
/// Pieces of memory that one may take: the HTTP of two connections, the message, its judgement, record and ending, the command to Redis
/// and its answer. A change that needs more is to say why.
const MOST: u64 = 120;

/// Argument rules and a limit that calls of all share, as the benchmark has them.
const DOCUMENT: &str = r#"{ "version": "1", "default": "deny", "tools": { "read": {
    "require": [{ "path": "args.id", "op": "regex", "value": "^[a-z0-9-]{1,64}$" }],
    "deny_if": [{ "conditions": [{ "path": "args.id", "op": "in", "value": ["run-1", "run-2"] }] }],
    "limits": [{ "counter": "reads", "window": "hour", "max": 1000000, "scope": "server" }] } } }"#;

#[test]
fn a_judged_counted_and_recorded_call_takes_few_pieces_of_memory() {
    let others = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (world, grant) = others.block_on(async {
        let world = World::new(DOCUMENT, plain).await;
        let grant = world.grant().await;
        (world, grant)
    });
    let here = Builder::new_current_thread().enable_all().build().unwrap();
    let door = here.block_on(world.door());
    // The first ones connect, read the grant, and send Redis its scripts.
    let (door, grant) = call(&here, &others, (door, grant));
    let mut callers = Some((door, grant));
    let heap =
        allocation_counter::measure(|| callers = callers.take().map(|callers| call(&here, &others, callers)));
    let each = heap.count_total / CALLS;
    assert!(each <= MOST, "{each} pieces of {} bytes for a call", heap.bytes_total / CALLS);
    assert!(each >= MOST / 2, "{each}: lower the bound");
}

/// Calls from elsewhere, while this thread serves.
fn call(here: &Runtime, others: &Runtime, (door, grant): (Door, Grant)) -> (Door, Grant) {
    let calling = others.spawn(async move {
        for number in 0..CALLS {
            let answer = door.call(&grant, "read", json!({ "id": format!("run-1{number}") })).await;
            assert!(answer.json()["result"]["isError"].is_null(), "{answer:?}");
        }
        (door, grant)
    });
    here.block_on(calling).unwrap()
}
