//! The bound on what is held: answers and events that may have to be rewritten, all of them together.

use axum::http::StatusCode;
use serde_json::{Value, json};
use testkit::upstream::{self, event, events};

use crate::gate::{Gate, send};

const MIB: usize = 1024 * 1024;

fn large(bytes: usize) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "result": { "resultType": "complete", "content": [{ "type": "text", "text": "x".repeat(bytes) }] } })
}

#[tokio::test]
async fn an_answer_for_which_there_is_no_room_is_refused_and_later_ones_pass() {
    let gate = Gate::with(
        &[],
        |settings| settings.held_memory = 4 * MIB,
        |request| {
            let answer = match request.json()["params"]["name"].as_str() {
                Some("large") => large(3 * MIB),
                // Read, each of its values takes up many times its own two bytes.
                Some("many") => {
                    let mut answer = large(0);
                    answer["result"]["x"] = vec![0; 200_000].into();
                    answer
                }
                _ => large(MIB),
            };
            if request.json()["params"]["arguments"]["stream"] == true {
                events(event(&answer))
            } else {
                upstream::json(&answer)
            }
        },
    )
    .await;
    let call = async |name: &str, stream: bool| {
        send(gate.modern("tools/call", json!({ "name": name, "arguments": { "stream": stream } }))).await
    };
    for _ in 0..4 {
        for name in ["large", "many"] {
            let refused = call(name, false).await;
            assert_eq!((refused.status, refused.code()), (StatusCode::SERVICE_UNAVAILABLE, -32603), "{name}");
            assert_eq!(refused.header("retry-after"), "1");
            let refused = call(name, true).await.text;
            assert!(refused.contains("-32603") && refused.len() < 1000, "{name}");
        }
        assert_eq!(call("small", false).await.json(), large(MIB));
        assert_eq!(call("small", true).await.text, event(&large(MIB)));
    }
    let rows = gate.world.records(&[&gate.door]).await;
    assert_eq!(rows.closings.iter().filter(|(closing, _)| closing.failed).count(), 16);
}

#[tokio::test]
async fn room_is_taken_up_until_the_client_has_read() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::with(
        &[],
        |settings| settings.held_memory = 4 * MIB,
        move |request| match request.json()["params"]["name"].as_str() {
            Some("waits") => upstream::raw(StatusCode::OK, "application/json", stream.clone()),
            _ => upstream::json(&large(MIB)),
        },
    )
    .await;
    let text = large(MIB * 3 / 2).to_string();
    let (half, rest) = text.split_at(text.len() - 1);
    sender.send(half.to_owned());
    let waiting = tokio::spawn(gate.modern("tools/call", json!({ "name": "waits" })).send());
    gate.upstream().received_at_least(1).await;
    // Until what was sent has come, the other one finds room.
    loop {
        let answer = send(gate.modern("tools/call", json!({ "name": "other" }))).await;
        match answer.status {
            StatusCode::OK => {}
            status => break assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
    sender.send(rest.to_owned());
    drop(sender);
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), text);
    // The first has been read, so that there is room again.
    while send(gate.modern("tools/call", json!({ "name": "other" }))).await.status != StatusCode::OK {}
}

#[tokio::test]
async fn an_answer_that_is_held_ends_with_its_grant() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::new(move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
    sender.send(r#"{"jsonrpc":"2.0","id":1,"result":{"#);
    let waiting = tokio::spawn(gate.modern("tools/call", json!({ "name": "waits" })).send());
    gate.upstream().received_at_least(1).await;
    gate.world.revoke(gate.grant.id).await;
    let answer = crate::client::Answer::of(waiting.await.unwrap().unwrap()).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_GATEWAY, -32603));
    sender.closed().await;
    let records = gate.world.records(&[&gate.door]).await;
    assert_eq!(records.closings[0].0.failure.as_deref(), Some("revoked token"));
}
