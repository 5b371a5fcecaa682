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
    // One message of a call need not be held, but an event must, and what may bring a state.
    let call = async |name: &str, stream: bool| {
        let method = if stream { "tools/call" } else { "prompts/get" };
        send(gate.modern(method, json!({ "name": name, "arguments": { "stream": stream } }))).await
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
    let waiting = tokio::spawn(gate.modern("prompts/get", json!({ "name": "waits" })).send());
    gate.upstream().received_at_least(1).await;
    // Until what was sent has come, the other one finds room.
    loop {
        let answer = send(gate.modern("prompts/get", json!({ "name": "other" }))).await;
        match answer.status {
            StatusCode::OK => {}
            status => break assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE),
        }
    }
    sender.send(rest.to_owned());
    drop(sender);
    assert_eq!(waiting.await.unwrap().unwrap().text().await.unwrap(), text);
    // The first has been read, so that there is room again.
    while send(gate.modern("prompts/get", json!({ "name": "other" }))).await.status != StatusCode::OK {}
}

#[tokio::test]
async fn an_answer_that_is_held_ends_with_its_grant() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::new(move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
    sender.send(r#"{"jsonrpc":"2.0","id":1,"result":{"#);
    let waiting = tokio::spawn(gate.modern("prompts/get", json!({ "name": "waits" })).send());
    gate.upstream().received_at_least(1).await;
    gate.world.revoke(gate.grant.id).await;
    let answer = crate::client::Answer::of(waiting.await.unwrap().unwrap()).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::BAD_GATEWAY, -32603));
    sender.closed().await;
    let records = gate.world.records(&[&gate.door]).await;
    assert_eq!(records.closings[0].0.failure.as_deref(), Some("revoked token"));
}

#[tokio::test]
async fn a_long_answer_to_a_modern_call_is_passed_on_while_it_comes_and_takes_up_no_room() {
    for first in [r#""resultType":"complete","#, ""] {
        let (sender, stream) = upstream::stream();
        let gate = Gate::with(
            &[],
            |settings| settings.held_memory = MIB,
            move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone()),
        )
        .await;
        let head =
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{{first}"content":[{{"type":"text","text":""#);
        let piece = "x".repeat(MIB);
        sender.send(head.clone());
        sender.send(piece.clone());
        let mut response = gate.modern("tools/call", json!({ "name": "open" })).send().await.unwrap();
        let mut text = response.chunk().await.unwrap().unwrap().to_vec();
        assert!(text.starts_with(head.as_bytes()), "the beginning is here before the end was sent");
        for _ in 1..20 {
            sender.send(piece.clone());
        }
        sender.send(r#""}],"isError":true}}"#);
        drop(sender);
        while let Some(chunk) = response.chunk().await.unwrap() {
            text.extend_from_slice(&chunk);
        }
        assert!(text == format!(r#"{head}{}"}}],"isError":true}}}}"#, piece.repeat(20)).into_bytes());
        let (closing, _) = gate.world.records(&[&gate.door]).await.closings.remove(0);
        assert_eq!(closing.response_bytes, Some(text.len() as u64));
        assert_eq!(closing.failure.as_deref(), Some("the tool reported an error"));
    }
}

/// Answers to calls whose beginning is long and plain, by what they say in the end.
#[tokio::test]
async fn a_long_answer_that_turns_out_to_be_no_result_of_the_call_breaks_off() {
    for end in [
        r#"],"resultType":"input_required","inputRequests":{}}}"#,
        r#"],"requestState":"theirs"}}"#,
        r#"],"result\u0054ype":"task","taskId":"t"}}"#,
        r#"]},"error":{"code":-32042}}"#,
        r#"]}}{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#,
        "]}",
    ] {
        let (sender, stream) = upstream::stream();
        let gate =
            Gate::new(move |_| upstream::raw(StatusCode::OK, "application/json", stream.clone())).await;
        let padding = "x".repeat(100_000);
        sender.send(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"content":["{padding}""#));
        let mut response = gate.modern("tools/call", json!({ "name": "open" })).send().await.unwrap();
        response.chunk().await.unwrap().unwrap();
        sender.send(end);
        drop(sender);
        let broke = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => assert!(!String::from_utf8_lossy(&chunk).contains("theirs")),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broke, "{end}");
        let (closing, gave_back) = gate.world.records(&[&gate.door]).await.closings.remove(0);
        assert!(closing.failed && !gave_back, "{end}");
    }
}

#[tokio::test]
async fn a_long_question_in_the_place_of_a_modern_result_is_held_and_sealed() {
    let gate = Gate::new(|_| {
        let message = json!({ "method": "elicitation/create", "params": { "message": "x".repeat(200_000) } });
        let result = json!({ "inputRequests": { "a": message }, "requestState": "theirs", "resultType": "input_required" });
        upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    })
    .await;
    let asked = send(gate.modern("tools/call", json!({ "name": "open" }))).await;
    assert_eq!(
        (asked.status, &asked.json()["result"]["resultType"]),
        (StatusCode::OK, &json!("input_required"))
    );
    assert!(!asked.text.contains("theirs") && asked.text.len() > 200_000);
}

#[tokio::test]
async fn what_must_be_read_whole_has_its_own_bound() {
    let gate = Gate::new(|request| {
        let padding = "x".repeat(16 * MIB);
        let result = json!({ "tools": [], "resultType": "complete", "taskId": "t", "x": padding });
        let message = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result });
        if request.json()["params"]["stream"] == true {
            events(event(&message))
        } else {
            upstream::json(&message)
        }
    })
    .await;
    for method in ["tools/list", "resources/list", "server/discover"] {
        let refused = send(gate.modern(method, json!({}))).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::BAD_GATEWAY, -32603), "{method}");
        assert!(refused.text.contains("it is longer than 16 MiB"), "{}", refused.text);
        let refused = send(gate.modern(method, json!({ "stream": true }))).await.text;
        assert!(refused.contains("an event of it is longer than 16 MiB"), "{method}: {refused}");
    }
}
