//! What is plainly a result, in pieces of any length, and what is not.

use mcp::skim::{Seen, Skim, is_result};
use proptest::prelude::*;

fn seen(body: &str, piece: usize) -> Seen {
    let mut skim = Skim::default();
    body.as_bytes().chunks(piece).map(|piece| skim.push(piece)).last().unwrap_or(Seen::Nothing)
}

const RESULTS: [&str; 5] = [
    r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
    " \r\n{ \"result\" : {\"error\":{\"code\":-32042},\"method\":[\"}\"]} , \"id\":\"\\\"error\\\":\" ,\"jsonrpc\":\"2.0\"}\n",
    r#"{"result":{"x":"\ud800","y":1,"y":2,"z":NaN}}"#,
    r#"{"id":"method","result":[[{"a":"\\"}],"]"]}"#,
    r#"{"id":{"error":1},"result":null}"#,
];

const OTHERS: [&str; 14] = [
    r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32042}}"#,
    r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
    r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{}}"#,
    r#"{"jsonrpc":"2.0","id":1,"result":{},"\u0065rror":{}}"#,
    r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"a":1,"a":2}}"#,
    r#"{"result":{},"params":{}}"#,
    r#"{"result":{}}{"error":{}}"#,
    r#"{"result":{}}]"#,
    r#"[{"result":{}}]"#,
    "\u{feff}{\"result\":{}}",
    "not json",
    r#"{result:{},"a":1}"#,
    r#"{"result":{},"a-key-that-is-long":1}"#,
    "{/* \"result\": */\"error\":{}}",
];

#[test]
fn a_result_is_one_however_it_is_cut() {
    for body in RESULTS {
        assert!(is_result(body.as_bytes()), "{body}");
        for piece in 1..body.len() {
            assert_eq!(seen(body, piece), Seen::Result, "{body} by {piece}");
        }
    }
}

#[test]
fn what_could_be_anything_else_is_in_doubt() {
    for body in OTHERS {
        assert!(!is_result(body.as_bytes()), "{body}");
        for piece in 1..body.len() {
            assert_eq!(seen(body, piece), Seen::Doubt, "{body} by {piece}");
        }
    }
}

#[test]
fn half_a_result_is_none() {
    for body in
        ["", "{", r#"{"jsonrpc":"2.0","id":1"#, r#"{"id":1}"#, r#"{"result":{"a":[1"#, r#"{"result":"x"#]
    {
        assert!(!is_result(body.as_bytes()), "{body}");
    }
}

proptest! {
    /// Whatever a reader of JSON finds at the top, it was seen.
    #[test]
    fn sees_what_a_reader_sees(body in r#"(\{)?("(jsonrpc|id|result|error|method|resul.)":(1|"\\"|"a,\\"error\\":"|\{"error":1\}|\[1,\{\}\]),?){0,4}(\})?"#) {
        if let Ok(serde_json::Value::Object(read)) = serde_json::from_str(&body) {
            let plain = read.contains_key("result") && read.keys().all(|key| ["jsonrpc", "id", "result"].contains(&key.as_str()));
            let repeated = body.matches("\"result\":").count() > 1;
            prop_assert_eq!(is_result(body.as_bytes()), plain && !repeated, "{}", body);
        }
    }
}
