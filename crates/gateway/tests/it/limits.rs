//! Limits hold across gateways and callers, exactly, and are counted where the policy says.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::client::{Answer, Door, call};
use crate::gate::{Gate, send};
use crate::world::{Grant, World, plain};

fn allowed(answer: &Answer) -> bool {
    answer.json()["result"]["isError"] == Value::Null
}

async fn allowed_of(door: &Door, grant: &Grant, calls: usize) -> usize {
    let mut count = 0;
    for _ in 0..calls {
        count += usize::from(allowed(&door.call(grant, "read", json!({})).await));
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_and_200_callers_share_a_limit_of_100_exactly() {
    let document = r#"{ "version": "1", "default": "allow",
        "all_tools": { "limits": [{ "counter": "calls", "window": "minute", "max": 100 }] } }"#;
    let world = World::new(document, plain).await;
    let (one, two, grant) = (world.door().await, world.door().await, world.grant().await);
    let calls = (0..200).map(|n| {
        let (door, grant) = (if n % 2 == 0 { &one } else { &two }, &grant);
        async move { allowed(&door.call(grant, "read", json!({})).await) }
    });
    let allowed = join_all(calls).await.into_iter().filter(|allowed| *allowed).count();
    assert_eq!(allowed, 100);
    assert_eq!(world.upstream.received().len(), 100);
    let records = world.records(&[&one, &two]).await;
    assert_eq!((records.decisions.len(), records.closings.len()), (200, 100));
    assert_eq!(records.decisions.iter().filter(|(_, limit)| limit.is_some()).count(), 100);
}

#[tokio::test]
async fn each_scope_is_shared_by_those_it_names() {
    // Calls allowed of two each by: the first grant, a second grant of the same identity, and a grant of another server.
    for (scope, expected) in [
        ("grant", [2, 2, 2]),
        ("identity", [2, 1, 0]),
        ("server", [2, 1, 2]),
        ("organisation", [2, 1, 0]),
        ("session", [2, 2, 2]),
    ] {
        let document = format!(
            r#"{{ "version": "1", "default": "allow", "tools": {{ "read": {{ "limits":
                [{{ "counter": "c", "window": "hour", "max": 3, "scope": "{scope}" }}] }} }} }}"#
        );
        let world = World::new(&document, plain).await;
        let (door, first, second) = (world.door().await, world.grant().await, world.grant().await);
        let (server, policy) = (crate::world::new_id(), crate::world::new_id());
        world.insert_server(world.tenant, server, policy, &document, &[]).await;
        let elsewhere = door.at(server);
        let abroad = world.mint(world.tenant, server, Some(policy), None).await;
        let counts = [
            allowed_of(&door, &first, 2).await,
            allowed_of(&door, &second, 2).await,
            allowed_of(&elsewhere, &abroad, 2).await,
        ];
        assert_eq!(counts, expected, "{scope}");
    }
}

#[tokio::test]
async fn a_session_counts_for_itself() {
    let document = r#"{ "version": "1", "default": "allow", "tools": { "read": { "limits":
        [{ "counter": "c", "window": "hour", "max": 1, "scope": "session" }] } } }"#;
    let number = std::sync::atomic::AtomicUsize::new(0);
    let world = World::new(document, move |request| {
        let mut response = plain(request);
        if let Some(session) = response.headers_mut().get_mut("mcp-session-id") {
            let number = number.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            *session = format!("upstream-{number}").parse().unwrap();
        }
        response
    })
    .await;
    let (door, grant) = (world.door().await, world.grant().await);
    for _ in 0..2 {
        let session = door.initialize(&grant).await.header("mcp-session-id").to_owned();
        let mut counts = Vec::new();
        for _ in 0..2 {
            let request = door.request(&grant).header("mcp-session-id", &session);
            let response = request.body(call("read", json!({})).to_string()).send().await.unwrap();
            counts.push(allowed(&Answer::of(response).await));
        }
        assert_eq!(counts, [true, false]);
    }
}

#[tokio::test]
async fn a_limit_by_key_counts_each_value_apart() {
    let document = r#"{ "version": "1", "default": "allow", "tools": { "send": { "limits":
        [{ "counter": "c", "window": "hour", "max": 1, "key": "args.to" }] } } }"#;
    let world = World::new(document, plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    let mut counts = Vec::new();
    for to in [json!("a"), json!("b"), json!("a"), json!(1), json!("1"), json!(1.0)] {
        counts.push(allowed(&door.call(&grant, "send", json!({ "to": to })).await));
    }
    assert_eq!(counts, [true, true, false, true, true, false]);
}

#[tokio::test]
async fn an_edit_of_the_policy_forgets_no_count() {
    let limited = |max: u32, pad: &str| {
        format!(
            r#"{{ "version": "1", "default": "allow", "tools": {{ {pad} "read": {{ "limits":
                [{{ "counter": "c", "window": "hour", "max": {max} }}] }} }} }}"#
        )
    };
    let world = World::new(&limited(2, ""), plain).await;
    let (door, grant) = (world.door().await, world.grant().await);
    assert_eq!(allowed_of(&door, &grant, 3).await, 2);
    world.save_policy(&limited(3, "\"other\": {},")).await;
    assert_eq!(allowed_of(&door, &grant, 3).await, 1);
}

/// The answer once a limit of one an hour is used up, and one more call is made.
async fn beyond(document: &str, modern: bool, arguments: Value) -> Answer {
    let gate = Gate::under(document, plain).await;
    let call = async || {
        let params = json!({ "name": "read", "arguments": arguments });
        let request =
            if modern { gate.modern("tools/call", params) } else { gate.legacy("tools/call", params) };
        send(request).await
    };
    call().await;
    let answer = call().await;
    assert!(gate.upstream().received().len() <= 1, "{answer:?}");
    answer
}

fn limited(place: &str, more: &str) -> String {
    let limits = format!(r#""limits": [{{ "counter": "c", "window": "hour", "max": 1{more} }}]"#);
    match place {
        "all" => format!(r#"{{ "version": "1", "default": "allow", "all_tools": {{ {limits} }} }}"#),
        _ => format!(r#"{{ "version": "1", "default": "allow", "tools": {{ "read": {{ {limits} }} }} }}"#),
    }
}

#[tokio::test]
async fn a_used_up_limit_of_all_calls_is_429_for_a_stateless_client() {
    for (document, rule) in [
        (limited("all", ""), "/all_tools/limits/0"),
        (limited("all", r#", "scope": "organisation""#), "/all_tools/limits/0"),
        (
            r#"{ "version": "1", "default": "allow", "all_tools": { "rate_limit": "1/hour" } }"#.to_owned(),
            "/all_tools/rate_limit",
        ),
    ] {
        let answer = beyond(&document, true, json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.code(), &answer.json()["id"]), (429, -32603, &json!(1)));
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=3_700).contains(&wait), "{wait}");
        let error = &answer.json()["error"];
        assert_eq!(error["data"]["dev.tollgate/decision"]["rule"], rule);
        let said = error["message"].as_str().unwrap();
        assert!(said.starts_with("[POLICY DENIED] ") && said.contains("(try again in 6"), "{said}");
    }
}

#[tokio::test]
async fn a_used_up_limit_that_leaves_other_calls_is_a_result_that_says_how_long() {
    let spend = r#", "increment_from": "args.amount""#;
    for (document, modern, arguments, told) in [
        (limited("all", ""), false, json!({}), true),
        (limited("one", ""), false, json!({}), true),
        (limited("one", ""), true, json!({}), true),
        (limited("all", r#", "scope": "session""#), true, json!({}), true),
        (limited("all", r#", "key": "args.to""#), true, json!({ "to": "a" }), true),
        // It would not fit after any wait.
        (limited("all", spend), true, json!({ "amount": 2 }), false),
    ] {
        let answer = beyond(&document, modern, arguments).await;
        let result = answer.json()["result"].clone();
        assert_eq!((answer.status.as_u16(), &result["isError"]), (200, &json!(true)), "{document}");
        let said = result["content"][0]["text"].as_str().unwrap();
        assert_eq!(said.contains("(try again in 6"), told, "{said}");
    }
}

#[tokio::test]
async fn a_used_up_limit_in_shadow_mode_answers_nobody() {
    let document = limited("all", "").replacen('{', r#"{ "mode": "shadow","#, 1);
    let gate = Gate::under(&document, plain).await;
    for _ in 0..2 {
        assert!(allowed(&send(gate.modern("tools/call", json!({ "name": "read" }))).await));
    }
    assert_eq!(gate.upstream().received().len(), 2);
}
