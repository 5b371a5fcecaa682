//! Sessions of the older revisions: a process each, their messages as they are.

use reqwest::Method;
use serde_json::json;

use crate::world::{call, hello, with, world};

#[tokio::test]
async fn each_session_has_a_process_of_its_own() {
    let world = world(r#"*count*) n=$((n + 1)); done_with "{\"count\":$n}";;"#).await;
    let (one, other) = (world.session().await, world.session().await);
    for (session, count) in [(&one, 1), (&one, 2), (&other, 1)] {
        let answer = world.send(world.within(session, &call(7, "count"))).await;
        assert_eq!(answer.json(), json!({ "jsonrpc": "2.0", "id": 7, "result": { "count": count } }));
        assert_eq!(answer.headers["content-type"], "text/event-stream", "it can be resumed");
    }
    let mut plain = world.within(&one, &call(8, "count")).build().unwrap();
    plain.headers_mut().insert("accept", "application/json".parse().unwrap());
    let plain = reqwest::Client::new().execute(plain).await.unwrap();
    assert_eq!(plain.json::<serde_json::Value>().await.unwrap()["result"], json!({ "count": 3 }));
}

#[tokio::test]
async fn what_comes_before_the_answer_comes_on_its_stream() {
    let world = world(
        r#"*work*) say '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}'
            say '{"jsonrpc":"2.0","id":"ask-1","method":"elicitation/create","params":{}}'; waiting=$(id);;
        *ask-1*) say "{\"jsonrpc\":\"2.0\",\"id\":$waiting,\"result\":{\"asked\":true}}";;"#,
    )
    .await;
    let session = world.session().await;
    let mut work = call(1, "work");
    work["params"]["_meta"] = json!({ "progressToken": "p" });
    let mut stream = world.begin(world.within(&session, &work)).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while !text.contains("ask-1") {
        text += std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
    }
    let first = text.split("\n\n").nth(1).unwrap();
    let progress = "event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"";
    assert!(first.contains(progress), "{text}");

    let answer = |id| json!({ "jsonrpc": "2.0", "id": id, "result": { "action": "accept" } });
    let status = async |id| world.send(world.within(&session, &answer(id))).await.status;
    assert_eq!(status("ask-2").await, 400, "nobody asked that");
    assert_eq!(status("ask-1").await, 202);
    assert_eq!(status("ask-1").await, 400, "it is answered once");
    assert!(stream.text().await.unwrap().contains("{\"asked\":true}"));
}

#[tokio::test]
async fn what_the_server_says_by_itself_waits_for_a_listener() {
    let world =
        world(r#"*tell*) say '{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}';;"#).await;
    let session = world.session().await;
    let tell = json!({ "jsonrpc": "2.0", "method": "notifications/tell" });
    assert_eq!(world.send(world.within(&session, &tell)).await.status, 202);
    let mut stream = world.begin(world.request(Method::GET).header("mcp-session-id", &session)).await;
    let mut text = String::new();
    while !text.contains("list_changed") {
        text += std::str::from_utf8(&stream.chunk().await.unwrap().expect("more")).unwrap();
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_deleted() {
    let world = world("").await;
    let session = world.session().await;
    let delete = || world.request(Method::DELETE).header("mcp-session-id", &session);
    assert_eq!(world.send(delete()).await.status, 200);
    assert_eq!(world.send(delete()).await.status, 404);
    assert_eq!(world.send(world.within(&session, &call(1, "x"))).await.status, 404);
    assert_eq!(world.send(world.request(Method::GET)).await.status, 400, "no session is named");
}

#[tokio::test]
async fn there_are_no_more_sessions_than_allowed() {
    let world = with("", |settings| settings.max_sessions = 1).await;
    let session = world.session().await;
    let refused = world.send(world.post(&hello())).await;
    assert_eq!((refused.status, refused.json()["id"].as_i64()), (503, Some(0)));
    world.send(world.request(Method::DELETE).header("mcp-session-id", session)).await;
    world.session().await;
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    let case = r#"*env*) done_with "{\"given\":\"$GIVEN\",\"cargo\":\"$CARGO_MANIFEST_DIR\"}";;"#;
    let world = world(case).await;
    let session = world.session().await;
    let answer = world.send(world.within(&session, &call(1, "env"))).await.json();
    assert_eq!(answer["result"], json!({ "given": "yes", "cargo": "" }));
}

#[tokio::test]
async fn nobody_is_served_who_does_not_belong_here() {
    let world = world("").await;
    let bad = async |name: &str, value: &str| {
        let mut request = world.post(&hello()).build().unwrap();
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        reqwest::Client::new().execute(request).await.unwrap()
    };
    assert_eq!(bad("host", "evil.example").await.status(), 403);
    assert_eq!(bad("origin", "http://evil.example").await.status(), 403);
    let wrong = bad("authorization", "Bearer another").await;
    assert_eq!(
        (wrong.status().as_u16(), wrong.headers()["www-authenticate"].as_bytes()),
        (401, &b"Bearer"[..])
    );
    assert_eq!(world.send(world.post(&json!([hello()]))).await.status, 400, "a batch");
}
