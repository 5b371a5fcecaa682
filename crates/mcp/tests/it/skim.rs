//! What is plainly a result, in pieces of any length, and what is not.

use mcp::Id;
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

const OTHERS: [&str; 16] = [
    r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
    r#"{"jsonrpc":"2.0","result":{},"id":1,"jsonrpc":"2.0"}"#,
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
            let twice = |key: &&str| body.matches(&format!("\"{key}\":")).count() > 1;
            let repeated = ["jsonrpc", "id", "result"].iter().any(twice);
            prop_assert_eq!(is_result(body.as_bytes()), plain && !repeated, "{}", body);
        }
    }

    /// What a reader would not take for the end of the call is not taken for it here.
    #[test]
    fn ends_what_a_reader_ends(result in r#"\{("(resultType|isError|content|requestState|taskId|re.ult.ype|x)":("complete"|"task"|true|\[\]|\{"resultType":"task"\}),?){0,5}\}"#) {
        let (seen, whole, is_error) = ends(&result, 7);
        if let (Seen::Result, true, Ok(read)) = (seen, whole, serde_json::from_str::<serde_json::Value>(&result)) {
            prop_assert!(read.get("resultType").is_none_or(|kind| kind == "complete"), "{}", result);
            prop_assert!(read.get("requestState").is_none() && read.get("taskId").is_none(), "{}", result);
            prop_assert_eq!(is_error, read.get("isError") == Some(&true.into()), "{}", result);
        }
    }
}

/// What the answer to call 7 is seen to be, by pieces.
fn ends(result: &str, piece: usize) -> (Seen, bool, bool) {
    let body = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{result}}}"#);
    let mut skim = Skim::of_call(Id::Number(7));
    let seen = body.as_bytes().chunks(piece).map(|piece| skim.push(piece)).last().unwrap_or(Seen::Nothing);
    (seen, skim.is_whole(), skim.is_error())
}

#[test]
fn the_end_of_a_call_is_told_by_what_the_result_says_of_itself() {
    for (result, is_error) in [
        (r#"{"resultType":"complete"}"#, false),
        (
            r#"{ "content" : [{"resultType":"task","inputRequests":{}}], "isError" : true , "resultType" : "complete" }"#,
            true,
        ),
        (r#"{"content":[],"structuredContent":{"isError":true,"requestState":"x"},"isError":false}"#, false),
        (r#"{"_meta":{"x":[1,{"taskId":2}]},"own":"\"resultType\":\"task\"","structuredContent":[]}"#, false),
        (r#"{"content":[{"x":"\ud800","y":1,"y":2}],"isError":true}"#, true),
    ] {
        for piece in 1..90 {
            assert_eq!(ends(result, piece), (Seen::Result, true, is_error), "{result} by {piece}");
        }
    }
}

#[test]
fn what_asks_for_more_or_could_be_read_so_does_not_end_a_call() {
    for result in [
        r#"{"resultType":"input_required","inputRequests":{}}"#,
        r#"{"content":[],"resultType":"input_required"}"#,
        r#"{"content":[],"resultType":"complete","resultType":"task"}"#,
        r#"{"content":[],"result\u0054ype":"task"}"#,
        r#"{"content":[],"resulttype":"task"}"#,
        "{\"content\":[],\"re\u{17f}ultType\":\"task\"}",
        r#"{"content":[],"resultType":["complete"]}"#,
        r#"{"content":[],"resultType":"complet\u0065"}"#,
        r#"{"content":[],"resultType":"completely otherwise"}"#,
        r#"{"content":[],"requestState":"s"}"#,
        r#"{"content":[],"InputRequests":{}}"#,
        r#"{"content":[],"taskId":"t"}"#,
        r#"{"content":[],"isError":true,"isError":false}"#,
        r#"{"content":[],unquoted:1}"#,
    ] {
        for piece in 1..90 {
            assert_eq!(ends(result, piece).0, Seen::Doubt, "{result} by {piece}");
        }
    }
    for result in ["{}", r#"{"_meta":{"content":[]}}"#, r#"["content"]"#, r#""content""#, "null"] {
        assert_eq!(ends(result, 5).0, Seen::Nothing, "{result}");
    }
}

#[test]
fn the_end_of_a_call_names_that_call() {
    let ids = [
        ("7", Seen::Result),
        (r#""7""#, Seen::Doubt),
        ("8", Seen::Doubt),
        ("null", Seen::Doubt),
        ("[7]", Seen::Doubt),
    ];
    for (id, seen) in ids {
        let first = format!(r#"{{"id":{id},"result":{{"content":[]}}}}"#);
        let last = format!(r#"{{"result":{{"content":[]}},"id": {id} }}"#);
        for body in [first, last] {
            for piece in 1..body.len() {
                let mut skim = Skim::of_call(Id::Number(7));
                let found = body.as_bytes().chunks(piece).map(|piece| skim.push(piece)).last();
                assert_eq!(found, Some(seen), "{body} by {piece}");
            }
        }
    }
    let mut skim = Skim::of_call(Id::Text("a\"b".to_owned()));
    assert_eq!(skim.push(br#"{"id":"a\u0022b","result":{"content":[]}}"#), Seen::Result);
}

#[test]
fn whether_a_tool_failed_is_seen_without_keeping_what_it_said() {
    let failed = |body: &str| {
        let mut skim = Skim::default();
        (skim.push(body.as_bytes()), skim.is_error())
    };
    for (result, is_error) in [
        (r#"{"content":[],"isError":true}"#, true),
        (r#"{"isError" : true , "content":[{"isError":false}]}"#, true),
        (r#"{"content":[{"isError":true}],"isError":"true"}"#, false),
        (r#"{"isError":{"true":true}}"#, false),
        (r#"{"isErro\u0072":true,"isError\u0000":true}"#, false),
        (r#"["isError",true]"#, false),
        ("true", false),
    ] {
        let body = format!(r#"{{"id":1,"result":{result}}}"#);
        assert_eq!(failed(&body), (Seen::Result, is_error), "{body}");
    }
}
