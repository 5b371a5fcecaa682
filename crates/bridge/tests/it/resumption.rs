//! Streams of a session that broke, and go on where they were.

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::world::{World, call, world};

/// `work` says two things and waits for the notification `finish`; `ready` is answered at once.
const WORK: &str = r#"*'"work"'*) waiting=$(id)
    for step in 1 2; do
        say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":$step}}"
    done;;
*notifications/finish*) say "{\"jsonrpc\":\"2.0\",\"id\":$waiting,\"result\":{\"done\":true}}";;
*notifications/cancelled*) say "{\"jsonrpc\":\"2.0\",\"id\":$waiting,\"result\":{\"late\":true}}";;
*'"ready"'*) done_with '{"ready":true}';;"#;

fn finish() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/finish" })
}

/// Events of a stream, as far as it was read: ids and data.
#[derive(Default)]
struct Read {
    text: String,
}

impl Read {
    fn events(&self) -> Vec<(String, String)> {
        let field = |event: &str, name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap_or_default().trim().to_owned()
        };
        let whole = self.text.rsplit_once("\n\n").map(|(whole, _)| whole).unwrap_or_default();
        whole.split("\n\n").map(|event| (field(event, "id:"), field(event, "data:"))).collect()
    }

    /// Reads until so many events have come.
    async fn until(&mut self, stream: &mut Response, events: usize) {
        while self.text.matches("\n\n").count() < events {
            self.text += std::str::from_utf8(&stream.chunk().await.unwrap().expect("more")).unwrap();
        }
    }
}

fn resuming(world: &World, session: &str, last: &str) -> RequestBuilder {
    let request = world.request(Method::GET).header("mcp-session-id", session);
    request.header("mcp-protocol-version", "2025-11-25").header("last-event-id", last)
}

#[tokio::test]
async fn a_client_that_comes_back_loses_nothing() {
    let world = world(WORK).await;
    let session = world.session().await;
    let mut stream = world.begin(world.within(&session, &call(1, "work"))).await;
    let mut read = Read::default();
    read.until(&mut stream, 3).await;
    let events = read.events();
    // Its data is empty, not absent: parsers leave an event without any out.
    let first = format!("id: {}\nretry: 1000\ndata: \n\n", events[0].0);
    assert!(read.text.starts_with(&first), "{}", read.text);
    // The connection breaks behind the first message, and what comes next is answered while nobody listens.
    drop(stream);
    assert_eq!(world.send(world.within(&session, &finish())).await.status, 202);
    let same = world.send(world.within(&session, &call(2, "ready"))).await;
    assert_eq!(same.json()["result"], json!({ "ready": true }), "the server is past the answer");

    for (last, messages) in [(&events[0].0, 3), (&events[1].0, 2), (&events[2].0, 1)] {
        let resumed = world.send(resuming(&world, &session, last)).await;
        assert_eq!(resumed.status, 200);
        let data: Vec<Value> = resumed
            .text
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect();
        assert_eq!(data.len(), messages, "behind {last}: {}", resumed.text);
        assert_eq!(data[messages - 1], json!({ "jsonrpc": "2.0", "id": 1, "result": { "done": true } }));
    }
}

#[tokio::test]
async fn a_stream_that_is_resumed_goes_on_live() {
    let world = world(WORK).await;
    let session = world.session().await;
    let mut first = world.begin(world.within(&session, &call(1, "work"))).await;
    let mut read = Read::default();
    read.until(&mut first, 3).await;
    let last = read.events()[2].0.clone();
    let mut second = world.begin(resuming(&world, &session, &last)).await;
    let mut rest = Read::default();
    rest.until(&mut second, 1).await;
    assert!(first.chunk().await.unwrap().is_none(), "one connection has the stream");
    assert_eq!(world.send(world.within(&session, &finish())).await.status, 202);
    assert!(second.text().await.unwrap().contains(r#""result":{"done":true}"#));
}

#[tokio::test]
async fn what_is_listened_to_is_resumed_too() {
    let world =
        world(r#"*tell*) n=$((n + 1)); say "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/n$n\"}";;"#)
            .await;
    let session = world.session().await;
    let tell = json!({ "jsonrpc": "2.0", "method": "notifications/tell" });
    let listen = world.request(Method::GET).header("mcp-session-id", &session);
    let mut stream = world.begin(listen.header("mcp-protocol-version", "2025-11-25")).await;
    let mut read = Read::default();
    world.send(world.within(&session, &tell)).await;
    read.until(&mut stream, 2).await;
    let heard = read.events().pop().unwrap();
    assert!(heard.1.contains("notifications/n1"), "{heard:?}");
    drop(stream);
    world.send(world.within(&session, &tell)).await;
    world.send(world.within(&session, &tell)).await;
    let mut stream = world.begin(resuming(&world, &session, &heard.0)).await;
    let mut rest = Read::default();
    rest.until(&mut stream, 3).await;
    let told: Vec<_> = rest.events().into_iter().map(|(_, data)| data).collect();
    assert!(told[1].contains("notifications/n2") && told[2].contains("notifications/n3"), "{told:?}");
}

#[tokio::test]
async fn what_was_never_sent_can_not_be_resumed() {
    let world = world(WORK).await;
    let (session, other) = (world.session().await, world.session().await);
    let answered = world.send(world.within(&session, &call(1, "ready"))).await;
    let read = Read { text: answered.text };
    let id = read.events().pop().unwrap().0;
    assert_eq!(world.send(resuming(&world, &session, &id)).await.status, 200);
    for (session, last) in [(&session, "99-0"), (&session, "1-9"), (&session, "x"), (&other, id.as_str())] {
        let refused = world.send(resuming(&world, session, last)).await;
        assert_eq!((refused.status, refused.json()["error"]["code"].as_i64()), (400, Some(-32600)), "{last}");
    }
}

#[tokio::test]
async fn a_cancelled_call_leaves_nothing_to_resume() {
    let world = world(WORK).await;
    let session = world.session().await;
    let mut stream = world.begin(world.within(&session, &call(1, "work"))).await;
    let mut read = Read::default();
    read.until(&mut stream, 3).await;
    let params = json!({ "requestId": 1, "reason": "enough" });
    let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
    assert_eq!(world.send(world.within(&session, &cancel)).await.status, 202);
    let last = read.events()[1].0.clone();
    assert_eq!(world.send(resuming(&world, &session, &last)).await.status, 400);
    // The late answer is nobody's.
    let next = world.send(world.within(&session, &call(2, "ready"))).await;
    assert_eq!(next.json()["result"], json!({ "ready": true }));
    assert!(!next.text.contains("late"), "{}", next.text);
}

#[tokio::test]
async fn clients_of_before_2025_11_25_get_no_empty_events() {
    let older = r#"*'"initialize"'*) done_with '{"protocolVersion":"2025-06-18","capabilities":{}}';;"#;
    let world = world(&format!("{older}\n{WORK}")).await;
    let session = world.session().await;
    let within = |message: &Value| {
        let request = world.post(message).header("mcp-session-id", &session);
        request.header("mcp-protocol-version", "2025-06-18")
    };
    let ready = world.send(within(&call(1, "ready"))).await;
    assert_eq!(ready.headers["content-type"], "application/json");
    let mut stream = world.begin(within(&call(2, "work"))).await;
    let mut read = Read::default();
    read.until(&mut stream, 1).await;
    let (id, data) = read.events()[0].clone();
    assert!(!id.is_empty() && data.contains("notifications/message"), "{}", read.text);
}
