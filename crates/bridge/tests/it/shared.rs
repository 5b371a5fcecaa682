//! Stateless requests, which share one process: of the newer revision as they are, of an older one translated.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, with, world};

/// A server of the older revisions: `slow` is answered when `finish` is, any other tool with the line that called it.
const OLD: &str = r#"*tools/list*) done_with '{"tools":[{"name":"echo","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}]}';;
*slow*) slow=$(id);;
*finish*) if [ -n "$slow" ]; then
        say '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"of nobody"}}'
        say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":$slow,\"progress\":1}}"
        say "{\"jsonrpc\":\"2.0\",\"id\":$slow,\"result\":{\"content\":[]}}"
    fi; done_with '{"content":[]}';;
*tools/call*) done_with "{\"content\":[],\"line\":$line}";;"#;

/// A server of the newer one; `hang` is never answered.
const NEW: &str = r#"*server/discover*) done_with '{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{}}';;
*notifications/cancelled*) cancelled=true;;
*hang*) ;;
*was_cancelled*) done_with "{\"resultType\":\"complete\",\"cancelled\":${cancelled:-false}}";;
*tools/call*) done_with "{\"resultType\":\"complete\",\"content\":[],\"line\":$line}";;"#;

async fn answered(world: &World, id: impl Into<Value>, method: &str, params: Value) -> Value {
    let answer = world.send(world.stateless(id, method, params)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn an_older_server_is_translated() {
    let world = world(OLD).await;
    let found = answered(&world, "d", "server/discover", json!({})).await;
    assert_eq!(found["result"]["supportedVersions"], json!(["2026-07-28"]));
    assert_eq!(found["result"]["capabilities"], json!({ "tools": {} }));
    let list = answered(&world, 1, "tools/list", json!({})).await;
    assert_eq!((&list["result"]["resultType"], &list["result"]["ttlMs"]), (&json!("complete"), &json!(0)));
    let call = json!({ "name": "echo", "arguments": { "n": 1 } });
    let echo = answered(&world, "x", "tools/call", call).await;
    assert_eq!((&echo["id"], &echo["result"]["resultType"]), (&json!("x"), &json!("complete")));
    let line = &echo["result"]["line"];
    assert_eq!(line["params"], json!({ "name": "echo", "arguments": { "n": 1 }, "_meta": {} }));
    let refused = world.send(world.stateless(9, "subscriptions/listen", json!({}))).await;
    assert_eq!((refused.status, refused.json()["error"]["code"].as_i64()), (404, Some(-32601)));
}

#[tokio::test]
async fn requests_of_the_same_id_do_not_meet() {
    let world = world(OLD).await;
    let slow = json!({ "name": "slow", "_meta": { "progressToken": "mine" } });
    let slow = world.stateless(1, "tools/call", slow);
    let slow = tokio::spawn(async move { slow.send().await.unwrap().text().await.unwrap() });
    while !slow.is_finished() {
        let finish = answered(&world, 1, "tools/call", json!({ "name": "finish" })).await;
        assert_eq!(finish["result"], json!({ "content": [], "resultType": "complete" }));
    }
    let text = slow.await.unwrap();
    let lines: Vec<Value> =
        text.lines().filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok()).collect();
    // The server's log is nobody's, so it is not here.
    assert_eq!(lines[0]["params"]["progressToken"], "mine", "{text}");
    assert_eq!((&lines[1]["id"], lines.len()), (&json!(1), 2), "{text}");
}

#[tokio::test]
async fn a_server_of_the_newer_revision_is_passed_through() {
    let world = world(NEW).await;
    let call = json!({ "name": "any", "arguments": { "deep": [1.5] }, "_meta": { "own": 1 } });
    let echo = answered(&world, "mine", "tools/call", call).await;
    let line = &echo["result"]["line"];
    assert_eq!(line["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert_eq!((&echo["id"], line["id"].is_i64()), (&json!("mine"), true));
    let unknown = world.send(world.stateless(3, "never/heard", json!({}))).await;
    assert_eq!((unknown.status, unknown.json()["id"].as_i64()), (404, Some(3)));
}

#[tokio::test]
async fn a_server_that_is_slow_to_start_is_still_known() {
    let thinks = Duration::from_millis(1);
    let slow = NEW.replace("*server/discover*) ", "*server/discover*) sleep 1; ");
    let world = with(&slow, |settings| settings.thinks = thinks).await;
    let echo = answered(&world, 1, "tools/call", json!({ "name": "any" })).await;
    let meta = &echo["result"]["line"]["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28", "it is not translated");

    // And one of the older revisions that never answers what it does not know.
    let world = with(&format!("*server/discover*) ;;\n{OLD}"), |settings| settings.thinks = thinks).await;
    let list = answered(&world, 1, "tools/list", json!({})).await;
    assert_eq!(list["result"]["ttlMs"], 0, "it is translated");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels() {
    let world = world(NEW).await;
    loop {
        // Left in the middle, once it has had the time to arrive; if it has not, it is tried again.
        let hang = world.stateless(4, "tools/call", json!({ "name": "hang" })).send();
        assert!(
            tokio::time::timeout(Duration::from_millis(300), hang).await.is_err(),
            "it is never answered"
        );
        let seen = answered(&world, 3, "tools/call", json!({ "name": "was_cancelled" })).await;
        if seen["result"]["cancelled"] == true {
            return;
        }
    }
}

#[tokio::test]
async fn headers_that_mirror_arguments_are_held_against_them() {
    let world = world(OLD).await;
    answered(&world, 1, "tools/list", json!({})).await;
    let call =
        || world.stateless(2, "tools/call", json!({ "name": "echo", "arguments": { "region": "eu" } }));
    for request in [call(), call().header("mcp-param-region", "us")] {
        let refused = world.send(request).await;
        assert_eq!((refused.status, refused.json()["error"]["code"].as_i64()), (400, Some(-32020)));
    }
    assert_eq!(world.send(call().header("mcp-param-region", "eu")).await.status, 200);
}
