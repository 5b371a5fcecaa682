//! What reaches the upstream of a request, and what reaches the client of an answer.

use serde_json::json;

use crate::world::{ALLOW, CREDENTIAL, World, plain};

#[tokio::test]
async fn an_allowed_call_reaches_the_upstream_byte_for_byte() {
    let world = World::new(ALLOW, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let body = "{ \"jsonrpc\":\"2.0\", \"id\" : \"a\", \"method\":\"tools\\/call\",\n \"params\":{\"name\":\"read\",\"arguments\":{\"n\":1.50}, \"x\": [1e3]} }";
    let answer = door.post(&grant, body).await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "read");
    assert_eq!(answer.json()["id"], "a");
    let received = world.upstream.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body, body);
    assert_eq!(received[0].header(CREDENTIAL.0), CREDENTIAL.1);
    let _ = json!({});
}
