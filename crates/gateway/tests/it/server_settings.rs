//! What a server's settings open and close: methods that no revision knows, and tools held to what was approved.

use domain::Outcome;
use serde_json::{Value, json};
use storage::ProtocolRow;
use testkit::upstream;

use crate::gate::{Gate, send};
use crate::world::{ALLOW, World, plain};

async fn list(gate: &Gate, methods: &[&str]) {
    let row = ProtocolRow {
        custom_methods: methods.iter().map(|&method| method.to_owned()).collect(),
        pin_tools: false,
    };
    let world = &gate.world;
    world.change(world.tenant, async |tx| assert!(tx.set_protocol(world.server, &row).await.unwrap())).await;
}

#[tokio::test]
async fn a_method_passes_once_the_settings_list_it() {
    let gate = Gate::under(r#"{ "version": "1", "default": "deny" }"#, |request| {
        let message = request.json();
        upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "resultType": "complete", "echo": message["method"] } }))
    })
    .await;
    for (request, status) in
        [(gate.legacy("acme/thing", json!({})), 200), (gate.modern("acme/thing", json!({})), 404)]
    {
        let answer = send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (status, -32601));
    }
    list(&gate, &["acme/thing"]).await;
    for request in [gate.legacy("acme/thing", json!({})), gate.modern("acme/thing", json!({}))] {
        assert_eq!(send(request).await.json()["result"]["echo"], "acme/thing");
    }
    assert_eq!(send(gate.legacy("acme/other", json!({}))).await.code(), -32601);
    let bare = gate.world.mint(gate.world.tenant, gate.world.server, None, None).await;
    let body = crate::client::message(1, "acme/thing", json!({})).to_string();
    let answer = gate.door.post(&bare, body).await.json();
    assert_eq!(answer["error"]["data"]["dev.tollgate/decision"]["rule"], "(no policy)");
}

#[tokio::test]
async fn a_server_asks_by_such_a_method_too() {
    let asks = upstream::event(&json!({ "jsonrpc": "2.0", "id": "q", "method": "acme/ask", "params": {} }));
    let answer = upstream::event(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    let stream = format!("{asks}{answer}");
    let script = stream.clone();
    let gate = Gate::new(move |request| match request.rpc_method().as_str() {
        "tools/call" => upstream::events(script.clone()),
        _ => plain(request),
    })
    .await;
    assert_eq!(send(gate.legacy("tools/call", json!({ "name": "open" }))).await.text, answer);
    list(&gate, &["acme/ask"]).await;
    assert_eq!(send(gate.legacy("tools/call", json!({ "name": "open" }))).await.text, stream);
}

#[tokio::test]
async fn a_pinned_tool_is_denied_until_its_definition_is_approved() {
    let tools: &[(&str, Value)] =
        &[("read", json!({ "type": "object" })), ("write", json!({ "type": "object" }))];
    let world = World::with_tools(ALLOW, tools, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let denied = async |tool: &str| {
        let answer = door.call(&grant, tool, json!({})).await.json();
        answer["result"]["_meta"]["dev.tollgate/decision"]["rule"].as_str().map(str::to_owned)
    };
    assert_eq!(denied("read").await, None);
    let pinned = ProtocolRow { custom_methods: Vec::new(), pin_tools: true };
    world
        .change(world.tenant, async |tx| {
            tx.set_protocol(world.server, &pinned).await.unwrap();
            let only = ["read".to_owned()];
            assert_eq!(tx.approve_tools(world.server, Some(&only)).await.unwrap(), only);
        })
        .await;
    let changed = Some("(tool changed)".to_owned());
    assert_eq!(denied("read").await, None);
    assert_eq!((denied("write").await, denied("never_seen").await), (changed.clone(), changed.clone()));
    // The definition is another at the next look.
    world.redefine("read", &json!({ "type": "object", "properties": { "url": {} } })).await;
    assert_eq!(denied("read").await, changed);
    world
        .change(world.tenant, async |tx| {
            let mut approved = tx.approve_tools(world.server, None).await.unwrap();
            approved.sort();
            assert_eq!(approved, ["read", "write"]);
        })
        .await;
    assert_eq!(
        (denied("read").await, denied("write").await, denied("never_seen").await),
        (None, None, changed)
    );
    let rows = world.records(&[&door]).await.decisions;
    assert!(rows.iter().all(|(row, _)| (row.outcome == Outcome::Deny) == (row.rule.as_deref() == Some("(tool changed)"))));
}
