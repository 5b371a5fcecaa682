//! Processes that end, and those that are ended.

use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, test_kill_process};
use serde_json::json;

use crate::world::{World, call, hello, with, world};

/// Waits until a process is gone. What its parent has not taken leave of yet is gone, too.
async fn gone(pid: i32) {
    let zombie =
        || std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    while test_kill_process(Pid::from_raw(pid).unwrap()).is_ok() && !zombie() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn pid(world: &World, session: &str) -> i32 {
    let answer = world.send(world.within(session, &call(1, "pid"))).await.json();
    i32::try_from(answer["result"]["pid"].as_i64().unwrap()).unwrap()
}

#[tokio::test]
async fn callers_are_told_of_a_death_and_the_session_is_over() {
    let world = world("*die*) exit 3;;").await;
    let session = world.session().await;
    let told = world.send(world.within(&session, &call(4, "die"))).await.json();
    assert_eq!((&told["id"], &told["error"]["code"]), (&json!(4), &json!(-32603)));
    assert_eq!(told["error"]["message"], "the server ended before it answered: exit status: 3");
    let later = world.send(world.within(&session, &call(5, "x"))).await;
    assert_eq!(later.status, 404, "the client is to send `initialize` again");
}

#[tokio::test]
async fn a_server_that_keeps_ending_is_not_started_without_end() {
    let minute = Duration::from_mins(1);
    let world = with("*initialize*) exit 1;;", |settings| {
        (settings.first_wait, settings.longest_wait) = (minute, minute);
    })
    .await;
    let first = world.send(world.post(&hello())).await;
    assert_eq!(first.status, 502, "{first:?}");
    let second = world.send(world.post(&hello())).await;
    assert_eq!(second.status, 503, "{second:?}");
    assert!(second.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_shared_process_that_ended_is_started_anew() {
    let world = with("*die*) exit 3;;\n*tools/call*) done_with '{\"content\":[]}';;", |settings| {
        settings.first_wait = Duration::from_millis(1);
    })
    .await;
    let send = async |name| world.send(world.stateless(1, "tools/call", json!({ "name": name }))).await;
    assert_eq!(send("x").await.json()["result"]["resultType"], "complete");
    assert_eq!(send("die").await.json()["error"]["code"], -32603);
    // Not before the wait is over.
    while send("x").await.status == 503 {}
    assert_eq!(send("x").await.json()["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_program_that_does_not_exist() {
    let world = with("", |settings| settings.program = "/nowhere/at/all".into()).await;
    let answer = world.send(world.stateless(1, "tools/list", json!({}))).await;
    assert_eq!(answer.status, 502);
    assert!(!answer.text.contains("nowhere"), "{}", answer.text);
}

#[tokio::test]
async fn a_line_without_end_ends_the_server() {
    let world = with("*long*) yes x | tr -d '\\n';;", |settings| settings.max_line = 100_000).await;
    let session = world.session().await;
    let told = world.send(world.within(&session, &call(1, "long"))).await.json();
    let told = told["error"]["message"].as_str().unwrap();
    assert_eq!(told, "the server ended before it answered: it wrote a line that is too long");
}

#[tokio::test]
async fn what_is_no_message_is_left_out() {
    let world = world("*noisy*) say 'Starting up ...'; say ''; done_with '{\"ok\":1}';;").await;
    let session = world.session().await;
    let answer = world.send(world.within(&session, &call(1, "noisy"))).await;
    assert_eq!(answer.json()["result"], json!({ "ok": 1 }));
}

#[tokio::test]
async fn an_unused_session_is_ended() {
    let idle = Duration::from_millis(200);
    let world = with("*pid*) done_with \"{\\\"pid\\\":$$}\";;", |settings| settings.idle = idle).await;
    let session = world.session().await;
    let pid = pid(&world, &session).await;
    tokio::select! {
        () = world.bridge.sweep() => unreachable!("it sweeps for ever"),
        () = gone(pid) => {}
    }
    assert_eq!(world.send(world.within(&session, &call(1, "pid"))).await.status, 404);
}

#[tokio::test]
async fn stopping_ends_every_process_and_what_it_started() {
    // Deaf to the end of its input, with a child that is deaf to SIGTERM.
    let cases = r#"*pid*) (trap '' TERM; while :; do sleep 1; done) & done_with "{\"pid\":$!}"; while :; do sleep 1; done;;"#;
    let world = with(cases, |settings| settings.grace = Duration::from_millis(100)).await;
    let session = world.session().await;
    let child = pid(&world, &session).await;
    world.bridge.stop().await;
    gone(child).await;
    let listen = world.request(Method::GET).header("mcp-session-id", &session);
    assert_eq!(world.send(listen).await.status, 404);
}
