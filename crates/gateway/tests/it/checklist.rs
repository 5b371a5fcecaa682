//! The easy mistakes of a gateway, one test each, named as the mistake is avoided. The files named `protocol_*` look closer.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use domain::Outcome;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, event, events, raw, with_header};

use crate::client::{Answer, call, event_ids, message};
use crate::gate::{Gate, legacy, modern, send};
use crate::world::plain;

async fn sent(gate: &Gate, body: &str, headers: &[(&str, &str)]) -> Answer {
    let request = headers
        .iter()
        .fold(gate.post(body.to_owned()), |request, (name, value)| request.header(*name, *value));
    send(request).await
}

#[tokio::test]
async fn arrays_notification_calls_odd_keys_bom_and_encodings_are_refused_before_policy() {
    let gate = Gate::new(plain).await;
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"open"}}"#;
    for body in [
        format!("[{call}]"),
        "[]".to_owned(),
        call.replace(r#""id":1,"#, ""),
        call.replace(r#""id":1"#, r#""id":1,"method":"ping""#),
        call.replace(r#""name":"open""#, r#""name":"open","Name":"denied""#),
        call.replace(r#""name":"open""#, r#""name":"open","arguments":{"a":1,"a":2}"#),
        call.replace("params", "param\u{17f}"),
        format!("\u{feff}{call}"),
        format!("{call}{call}"),
    ] {
        assert_eq!(sent(&gate, &body, &[]).await.status, 400, "{body}");
    }
    assert_eq!(sent(&gate, call, &[("content-encoding", "gzip")]).await.status, 415);
    assert!(gate.upstream().received().is_empty());
    assert!(gate.decisions().await.iter().all(|row| row.outcome == Outcome::Malformed));
}

#[tokio::test]
async fn the_body_decides_headers_are_compared_repeats_refused_and_base64_decoded() {
    let gate = Gate::new(plain).await;
    let body = modern("tools/call", json!({ "name": "naïve" }));
    let with = |name: &'static str| {
        [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", name)]
    };
    assert_eq!(sent(&gate, &body, &with("=?base64?bmHDr3Zl?=")).await.status, 200);
    for name in ["open", "=?base64?bmHDr3Zl", "=?BASE64?bmHDr3Zl?=", "=?base64?bmHDr3Zl=?="] {
        assert_eq!(sent(&gate, &body, &with(name)).await.code(), -32020, "{name}");
    }
    let twice = gate.modern("tools/call", json!({ "name": "open" })).header("mcp-name", "open");
    assert_eq!(send(twice).await.code(), -32020);
    // The older revisions mirror nothing, and a header that does is no way to another tool.
    let denied = legacy("tools/call", json!({ "name": "denied" }));
    assert_eq!(sent(&gate, &denied, &[("mcp-method", "ping"), ("mcp-name", "open")]).await.status, 400);
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn what_is_forwarded_is_what_was_judged_and_its_mirrors_follow_an_edit() {
    let gate = Gate::new(|request| match request.rpc_method().as_str() {
        "tools/call" => {
            upstream::json(&json!({ "jsonrpc": "2.0", "id": 1, "result": { "task": { "taskId": "naïve" } } }))
        }
        _ => upstream::json(
            &json!({ "jsonrpc": "2.0", "id": 1, "result": { "taskId": "naïve", "resultType": "complete" } }),
        ),
    })
    .await;
    let made = send(gate.legacy("tools/call", json!({ "name": "open", "task": {} }))).await.json();
    let id = made["result"]["task"]["taskId"].as_str().unwrap();
    let got = gate.modern("tasks/get", json!({ "taskId": id })).header("mcp-name", id);
    assert_eq!(send(got).await.status, 200);
    let odd = "{ \"id\":1, \"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"open\",\"arguments\":{\"n\":1.0e2}} }\n";
    sent(&gate, odd, &[]).await;
    let received = gate.upstream().received();
    assert_eq!(received[1].header("mcp-name"), "=?base64?bmHDr3Zl?=");
    assert_eq!(received[1].json()["params"]["taskId"], "naïve");
    assert_eq!(received[1].header("content-length"), received[1].body.len().to_string());
    assert_eq!(received[2].body, odd);
}

#[tokio::test]
async fn unknown_methods_are_denied_get_and_delete_authenticated_resumption_filtered_endpoint_not_relayed() {
    let list = event(
        &json!({ "jsonrpc": "2.0", "id": 9, "result": { "tools": [{ "name": "hidden_a" }, { "name": "open" }] } }),
    );
    let gate = Gate::new(move |request| match request.method {
        Method::GET if request.header("last-event-id") == "7" => events(format!("id: 8\n{list}")),
        Method::GET => events("id: 7\ndata:\n\nevent: endpoint\ndata: https://elsewhere.example/\n\n"),
        _ => plain(request),
    })
    .await;
    assert_eq!(send(gate.legacy("acme/thing", json!({}))).await.code(), -32601);
    for method in [Method::GET, Method::DELETE] {
        let nobody = gate.door.http().request(method, gate.door.url()).send().await.unwrap();
        assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
    }
    let first = send(gate.request(Method::GET, "").header("accept", "text/event-stream")).await.text;
    assert!(!first.contains("elsewhere"), "{first}");
    let resumed = gate
        .request(Method::GET, "")
        .header("accept", "text/event-stream")
        .header("last-event-id", event_ids(&first)[0]);
    let text = send(resumed).await.text;
    assert!(text.contains("open") && !text.contains("hidden_a"), "{text}");
}

#[tokio::test]
async fn lists_are_filtered_in_json_events_arrays_and_pages_and_are_private() {
    let page = json!({ "tools": [{ "name": "hidden_a" }, { "name": "open" }], "nextCursor": "c", "ttlMs": 3_600_000, "cacheScope": "public", "resultType": "complete" });
    let whole = json!({ "jsonrpc": "2.0", "id": 1, "result": page });
    for form in ["json", "events", "array"] {
        let answer = whole.clone();
        let gate = Gate::new(move |_| match form {
            "json" => upstream::json(&answer),
            "events" => events(event(&answer)),
            _ => upstream::json(&json!([answer])),
        })
        .await;
        for cursor in [json!({}), json!({ "cursor": "c" })] {
            let text = send(gate.legacy("tools/list", cursor)).await.text;
            assert!(
                text.contains("open") && text.contains("nextCursor") && !text.contains("hidden_a"),
                "{form} {text}"
            );
        }
        if form != "array" {
            let text = send(gate.modern("tools/list", json!({}))).await.text;
            assert!(
                text.contains(r#""cacheScope":"private""#) && text.contains(r#""ttlMs":60000"#),
                "{form} {text}"
            );
        }
    }
}

/// An upstream with a session, a task and a state for everybody.
fn generous(request: &Received) -> Response<Body> {
    let message = request.json();
    let result = match request.rpc_method().as_str() {
        "initialize" => return plain(request),
        "tools/call" if message["params"].get("task").is_some() => json!({ "task": { "taskId": "t" } }),
        "tools/call" => json!({ "resultType": "input_required", "requestState": "s", "inputRequests": {} }),
        _ => json!({ "resultType": "complete", "taskId": "t" }),
    };
    upstream::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
}

#[tokio::test]
async fn session_task_state_and_subscription_are_bound_to_the_grant() {
    let gate = Gate::new(generous).await;
    let other = gate.world.grant().await;
    let session = gate.session().await;
    let task = send(gate.legacy("tools/call", json!({ "name": "open", "task": {} }))).await.json();
    let task = task["result"]["task"]["taskId"].as_str().unwrap();
    let state = send(gate.modern("tools/call", json!({ "name": "open" }))).await.json();
    let state = &state["result"]["requestState"];
    let before = gate.upstream().received().len();
    let pinged = gate.door.request(&other).header("mcp-session-id", session).body(legacy("ping", json!({})));
    assert_eq!(send(pinged).await.status, StatusCode::NOT_FOUND);
    let polled = gate.door.post(&other, legacy("tasks/get", json!({ "taskId": task }))).await;
    assert_eq!(polled.code(), -32602);
    let retried = gate.door.modern(&other, "tools/call", json!({ "name": "open", "requestState": state }));
    assert_eq!(send(retried).await.code(), -32602);
    let listened =
        gate.door.modern(&other, "subscriptions/listen", json!({ "notifications": { "taskIds": [task] } }));
    assert_eq!(send(listened).await.code(), -32602);
    assert_eq!(gate.upstream().received().len(), before);
}

#[tokio::test]
async fn each_round_of_a_call_is_judged_by_its_own_arguments() {
    let policy = r#"{ "version": "1", "default": "allow", "tools": { "pay": { "require": [{ "path": "args.amount", "op": "lte", "value": 10 }] } } }"#;
    let gate = Gate::under(policy, generous).await;
    let round = |amount: u32, state: &Value| {
        let mut params = json!({ "name": "pay", "arguments": { "amount": amount } });
        if !state.is_null() {
            params["requestState"] = state.clone();
        }
        send(gate.modern("tools/call", params))
    };
    let first = round(10, &Value::Null).await.json();
    let state = first["result"]["requestState"].clone();
    assert_eq!(round(11, &Value::Null).await.json()["result"]["isError"], true);
    assert_eq!(round(9, &state).await.code(), -32602, "allowed, but not the call that was asked about");
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn no_redirects_no_cookies_no_challenges_and_headers_by_allow_list() {
    let gate = Gate::new(|request| match request.json()["params"]["name"].as_str() {
        Some("moved") => {
            with_header(raw(StatusCode::TEMPORARY_REDIRECT, "", ""), "location", "https://elsewhere.example/")
        }
        Some("refused") => with_header(raw(StatusCode::UNAUTHORIZED, "", ""), "www-authenticate", "Bearer x"),
        _ => with_header(with_header(plain(request), "set-cookie", "a=b"), "server", "secret/1"),
    })
    .await;
    for tool in ["moved", "refused"] {
        let answer = send(gate.legacy("tools/call", json!({ "name": tool }))).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("www-authenticate"), answer.header("location")),
            (502, "", "")
        );
    }
    let request = gate.request(Method::POST, "?token=x").header("content-type", "application/json");
    let request = ["cookie", "x-api-key", "x-forwarded-for", "forwarded", "proxy-authorization"]
        .into_iter()
        .fold(request, |request, name| request.header(name, "mine"));
    let answer = send(request.body(legacy("tools/call", json!({ "name": "open" })))).await;
    assert_eq!((answer.header("set-cookie"), answer.header("server")), ("", ""));
    let received = gate.upstream().received().pop().unwrap();
    assert!(
        !format!("{:?}", received.headers).contains("mine") && received.header("authorization").is_empty()
    );
    assert_eq!(received.uri, "/mcp");
}

#[tokio::test]
async fn streams_are_not_held_back_a_client_that_leaves_cancels_and_nothing_is_sent_twice() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::new(move |_| events(stream.clone())).await;
    sender.send(": first\n\n");
    let mut response = gate.modern("tools/call", json!({ "name": "open" })).send().await.unwrap();
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    assert!(response.chunk().await.unwrap().unwrap().starts_with(b": first"));
    drop(response);
    sender.closed().await;

    let gate = Gate::new(|_| raw(StatusCode::BAD_GATEWAY, "", "")).await;
    assert_eq!(send(gate.modern("tools/call", json!({ "name": "open" }))).await.status, 502);
    assert_eq!(gate.upstream().received().len(), 1);
}

#[tokio::test]
async fn a_denial_is_a_result_what_is_hidden_is_unknown_and_a_task_is_refused_with_an_error() {
    let gate = Gate::new(plain).await;
    for era in ["legacy", "modern"] {
        let ask = async |tool: &str| {
            let params = json!({ "name": tool });
            send(if era == "modern" {
                gate.modern("tools/call", params)
            } else {
                gate.legacy("tools/call", params)
            })
            .await
        };
        let denied = ask("denied").await;
        assert_eq!((denied.status.as_u16(), &denied.json()["result"]["isError"]), (200, &json!(true)));
        assert_eq!(denied.json()["result"].get("resultType").is_some(), era == "modern");
        let hidden = ask("hidden_x").await;
        assert_eq!((hidden.status.as_u16(), hidden.code()), (200, -32602));
        assert_eq!(hidden.json()["error"]["message"], "Unknown tool: hidden_x");
    }
    let task = send(gate.legacy("tools/call", json!({ "name": "denied", "task": {} }))).await;
    assert_eq!((task.status.as_u16(), task.code()), (200, -32602));
}

#[tokio::test]
async fn a_modern_4xx_has_an_error_that_clients_know_with_the_id_and_404_means_no_such_method() {
    let gate = Gate::under(r#"{ "version": "1", "default": "deny" }"#, plain).await;
    for (request, status, code) in [
        (gate.modern("acme/thing", json!({})), 404, -32601),
        (gate.modern("resources/list", json!({})), 404, -32601),
        (gate.modern("ping", json!({})), 404, -32601),
        (gate.modern("tools/call", json!({})), 400, -32602),
        (gate.modern("tools/list", json!({})).header("mcp-method", "other"), 400, -32020),
        (
            gate.post(modern("tools/list", json!({}))).header("mcp-protocol-version", "2031-01-01"),
            400,
            -32020,
        ),
    ] {
        let answer = send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code(), &answer.json()["id"]), (status, code, &json!(1)));
    }
}

#[tokio::test]
async fn one_401_for_every_reason_and_a_revocation_ends_streams() {
    let (sender, stream) = upstream::stream();
    let gate = Gate::with(
        &[],
        |settings| settings.recheck = Duration::from_millis(50),
        move |_| events(stream.clone()),
    )
    .await;
    let abroad = gate.door.at(crate::world::new_id());
    let shape = |answer: Answer| {
        (
            answer.status,
            answer.text.clone(),
            answer
                .header("www-authenticate")
                .replace(&abroad.server.to_string(), "*")
                .replace(&gate.door.server.to_string(), "*"),
        )
    };
    let body = call("open", json!({})).to_string();
    let unknown = shape(abroad.post(&gate.grant, body.clone()).await);
    let forged = crate::world::Grant {
        id: gate.grant.id,
        token: format!("{}x", &gate.grant.token[..gate.grant.token.len() - 1]),
    };
    assert_eq!(unknown.0, StatusCode::UNAUTHORIZED);
    assert_eq!(shape(gate.door.post(&forged, body).await), unknown);
    sender.send(": here\n\n");
    let mut response =
        gate.request(Method::GET, "").header("accept", "text/event-stream").send().await.unwrap();
    response.chunk().await.unwrap();
    gate.world.revoke(gate.grant.id).await;
    while response.chunk().await.unwrap().is_some() {}
    sender.closed().await;
}

#[tokio::test]
async fn digits_unknown_members_meta_progress_tokens_and_ids_are_kept() {
    let answer = r#"{"jsonrpc":"2.0","id":"a-7","result":{"content":[],"n":12345678901234567890.10,"own":{"x":1e2},"_meta":{"k":0.10}}}"#;
    let gate = Gate::new(move |_| raw(StatusCode::OK, "application/json", answer)).await;
    let body = r#"{"jsonrpc":"2.0","id":"a-7","method":"tools/call","params":{"name":"open","own":1,"arguments":{"n":1.50},"_meta":{"progressToken":"p","com.example/k":1e1}}}"#;
    assert_eq!(sent(&gate, body, &[]).await.text, answer);
    assert_eq!(gate.upstream().received()[0].body, body);
}

#[tokio::test]
async fn an_endpoint_and_its_metadata_have_twins_with_a_slash_and_nothing_redirects() {
    let gate = Gate::new(plain).await;
    for slash in ["", "/"] {
        let request = gate.request(Method::POST, slash).header("content-type", "application/json");
        assert_eq!(send(request.body(legacy("ping", json!({})))).await.status, 200);
        let metadata = format!(
            "{}/.well-known/oauth-protected-resource/mcp/{}{slash}",
            gate.door.base, gate.door.server
        );
        let metadata = Answer::of(gate.door.http().get(metadata).send().await.unwrap()).await;
        assert_eq!((metadata.status.as_u16(), &metadata.json()["resource"]), (200, &json!(gate.door.url())));
    }
}

#[tokio::test]
async fn a_row_for_each_round_poll_question_and_denied_method_and_no_argument_in_any() {
    let asks = event(&json!({ "jsonrpc": "2.0", "id": "q", "method": "roots/list" }));
    let gate = Gate::under(
        r#"{ "version": "1", "default": "allow", "methods": { "prompts": "deny" } }"#,
        move |request| match request.rpc_method().as_str() {
            "tools/call" if request.json()["params"]["name"] == "ask" => {
                events(format!("{asks}{}", event(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))))
            }
            _ => generous(request),
        },
    )
    .await;
    let secret = json!({ "key": "hush-hush" });
    let first = send(gate.modern("tools/call", json!({ "name": "open", "arguments": secret }))).await.json();
    let state = &first["result"]["requestState"];
    send(gate.modern("tools/call", json!({ "name": "open", "arguments": secret, "requestState": state })))
        .await;
    let task = send(gate.legacy("tools/call", json!({ "name": "open", "arguments": secret, "task": {} })))
        .await
        .json();
    send(gate.legacy("tasks/get", json!({ "taskId": task["result"]["task"]["taskId"] }))).await;
    send(gate.legacy("prompts/get", json!({ "name": "p", "arguments": secret }))).await;
    send(gate.legacy("tools/call", json!({ "name": "ask" }))).await;
    send(gate.post(format!("[{}]", message(1, "ping", json!({}))))).await;
    let rows = gate.decisions().await;
    let found: Vec<_> = rows.iter().map(|row| (row.method.as_deref().unwrap_or(""), row.outcome)).collect();
    assert_eq!(
        found,
        [
            ("tools/call", Outcome::Allow),
            ("tools/call", Outcome::Allow),
            ("tools/call", Outcome::Allow),
            ("tasks/get", Outcome::Allow),
            ("prompts/get", Outcome::Deny),
            ("tools/call", Outcome::Allow),
            ("roots/list", Outcome::Allow),
            ("", Outcome::Malformed),
        ]
    );
    assert!(!format!("{rows:?}").contains("hush-hush"));
}

/// What the documentation says of the mistakes is said by tests that there are, and of all of them.
#[test]
fn each_of_these_is_in_the_documentation() {
    let (docs, tests) = (include_str!("../../../../docs/protocol.md"), include_str!("checklist.rs"));
    let (_, table) = docs.split_once("| avoided | test |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let rows: Vec<_> = table.lines().filter_map(|row| row.rsplit_once("| `")?.1.split_once('`')).collect();
    let named: Vec<_> = rows.iter().map(|(name, _)| *name).collect();
    let written: Vec<_> =
        tests.split("#[tokio::test]\nasync fn ").skip(1).filter_map(|test| test.split_once("()")).collect();
    let written: Vec<_> = written.iter().map(|(name, _)| *name).filter(|name| !name.contains('"')).collect();
    assert_eq!(named, written);
}

/// So is every test that it names for the other rules.
#[test]
fn the_tests_that_the_documentation_names_are_there() {
    let docs = include_str!("../../../../docs/protocol.md");
    let (_, table) = docs.split_once("| rule | test |").unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut named = 0;
    for (place, test) in table.split('`').filter_map(|name| name.split_once("::")) {
        let (of, file) = place.split_once('/').unwrap_or(("gateway", place));
        let text = std::fs::read_to_string(format!("{crates}/{of}/tests/it/{file}.rs")).unwrap();
        assert!(text.contains(&format!("fn {test}(")), "{place}::{test}");
        named += 1;
    }
    assert!(named > 90, "{named}");
}
