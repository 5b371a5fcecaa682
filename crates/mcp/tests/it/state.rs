//! The state of calls in several rounds.

use domain::Surfaces;
use mcp::tasks::Names;
use mcp::{Draft, Outgoing, StateGoing, Unreadable, envelope, state, upstream_body};
use serde_json::json;

use crate::{modern, parsed, request};

fn wrapped(body: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
    let mut draft = Draft::read(body)?;
    draft.wrap_state(|inner| Some(format!("<{}>", inner.unwrap_or("none"))))?;
    Ok(draft.finish())
}

#[test]
fn a_state_is_wrapped_on_the_way_down() {
    let body = br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"in\"ner","n":1.00}}"#;
    assert_eq!(
        wrapped(body).expect("readable").expect("changed"),
        br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"<in\"ner>","n":1.00}}"#
    );
    for without in [&br#"{"id":1,"result":{}}"#[..], br#"{"id":1,"error":{}}"#, br#"{"method":"x"}"#] {
        assert_eq!(wrapped(without), Ok(None));
    }
    assert_eq!(
        wrapped(br#"{"id":1,"result":{"inputRequests":{}}}"#).expect("readable").expect("changed"),
        br#"{"id":1,"result":{"inputRequests":{},"requestState":"<none>"}}"#,
        "what asks has a state"
    );
    assert!(wrapped(br#"{"id":1,"result":{"requestState":7}}"#).is_err());
    assert!(wrapped(br#"{"id":1,"result":{"requestState":"a","requestState":"b"}}"#).is_err());
    let mut draft = Draft::read(body).expect("readable");
    assert!(draft.wrap_state(|_| None).is_err(), "what can't be sealed does not pass");
}

#[test]
fn a_state_is_unwrapped_on_the_way_up() {
    let body =
        modern("tools/call", json!({ "name": "x", "requestState": "<a>", "inputResponses": { "q": {} } }));
    let message = envelope::read(body.as_bytes()).expect("a message");
    assert_eq!(state::brought(&request(&body)), Ok(Some("<a>")));
    let tasks = Names::new();
    let outgoing = |state| Outgoing { open: Surfaces::ALL, state, asked: None, tasks: &tasks, trace: None };
    let sent = parsed(&upstream_body(body.as_bytes(), &message, &outgoing(StateGoing::Opened("a\"b"))));
    assert_eq!(sent["params"]["requestState"], "a\"b");
    assert_eq!(sent["params"]["inputResponses"], json!({ "q": {} }));
    assert_eq!(upstream_body(body.as_bytes(), &message, &outgoing(StateGoing::Same)), body.as_bytes());
    let left = parsed(&upstream_body(body.as_bytes(), &message, &outgoing(StateGoing::Left)));
    assert_eq!((left["params"].get("requestState"), &left["params"]["name"]), (None, &json!("x")));
    let asked = |names: &[String]| {
        let outgoing = Outgoing { asked: Some(names), ..outgoing(StateGoing::Same) };
        parsed(&upstream_body(body.as_bytes(), &message, &outgoing))["params"]["inputResponses"].clone()
    };
    assert_eq!(asked(&["q".to_owned()]), json!({ "q": {} }));
    assert_eq!(asked(&["Q".to_owned()]), json!({}));
    // Whoever asked for nothing gets no answers.
    let outgoing = Outgoing { asked: Some(&[]), ..outgoing(StateGoing::Left) };
    let unasked = parsed(&upstream_body(body.as_bytes(), &message, &outgoing));
    assert_eq!(
        (unasked["params"].get("requestState"), unasked["params"].get("inputResponses")),
        (None, None)
    );
}

#[test]
fn a_state_of_another_kind_is_refused() {
    let body = modern("tools/call", json!({ "name": "x", "requestState": 7 }));
    let refused = state::brought(&request(&body)).expect_err("refused");
    assert_eq!((refused.http_status.as_u16(), refused.code), (400, -32602));
    assert_eq!(parsed(&refused.body())["id"], 1);
    assert_eq!(state::brought(&request(&modern("tools/call", json!({ "name": "x" })))), Ok(None));
}
