//! The state of calls in several rounds.

use mcp::{envelope, state, upstream_body};
use serde_json::json;

use crate::{modern, parsed, request};

#[test]
fn a_state_is_wrapped_on_the_way_down() {
    let body = br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"in\"ner","n":1.00}}"#;
    let wrapped = state::wrapped(body, |inner| format!("<{inner}>")).expect("readable").expect("changed");
    assert_eq!(
        wrapped,
        br#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","requestState":"<in\"ner>","n":1.00}}"#
    );
    for without in [&br#"{"id":1,"result":{}}"#[..], br#"{"id":1,"error":{}}"#, br#"{"method":"x"}"#] {
        assert_eq!(state::wrapped(without, |_| unreachable!("no state")), Ok(None));
    }
    assert!(state::wrapped(br#"{"id":1,"result":{"requestState":7}}"#, str::to_owned).is_err());
    assert!(
        state::wrapped(br#"{"id":1,"result":{"requestState":"a","requestState":"b"}}"#, str::to_owned)
            .is_err()
    );
}

#[test]
fn a_state_is_unwrapped_on_the_way_up() {
    let body =
        modern("tools/call", json!({ "name": "x", "requestState": "<a>", "inputResponses": { "q": {} } }));
    let message = envelope::read(body.as_bytes()).expect("a message");
    assert_eq!(state::brought(&request(&body)), Ok(Some("<a>")));
    let sent = parsed(&upstream_body(body.as_bytes(), &message, Some("a\"b")));
    assert_eq!(sent["params"]["requestState"], "a\"b");
    assert_eq!(sent["params"]["inputResponses"], json!({ "q": {} }));
    assert_eq!(upstream_body(body.as_bytes(), &message, None), body.as_bytes());
}

#[test]
fn a_state_of_another_kind_is_refused() {
    let body = modern("tools/call", json!({ "name": "x", "requestState": 7 }));
    let refused = state::brought(&request(&body)).expect_err("refused");
    assert_eq!((refused.http_status.as_u16(), refused.code), (400, -32602));
    assert_eq!(parsed(&refused.body())["id"], 1);
    assert_eq!(state::brought(&request(&modern("tools/call", json!({ "name": "x" })))), Ok(None));
}
