//! What servers say of a tool that they don't have, learnt and said of another.

use http::StatusCode;
use mcp::sse::{Event, Parser};
use mcp::unknown::{Answer, UnknownTool, call, name};
use mcp::{Era, Id, Message, ToolCall, Version, envelope};

const OK: StatusCode = StatusCode::OK;

fn ours() -> String {
    name("00112233445566778899aabbccddeeff")
}

fn learn_as(status: StatusCode, era: Era, body: &str, secret: &[&str]) -> Option<UnknownTool> {
    let body = body.replace("NAME", &ours());
    let answer = Answer { status, body: body.as_bytes(), event: None };
    UnknownTool::learn(&answer, &ours(), era, secret.iter().copied())
}

fn learn(body: &str) -> Option<UnknownTool> {
    learn_as(OK, Era::Legacy, body, &["delete_all"])
}

fn said(form: &UnknownTool, id: &Id, tool: &str) -> String {
    let (_, _, body) = form.of(id, tool);
    String::from_utf8(body).expect("text")
}

#[test]
fn the_call_is_one_that_passes_this_gateway_too() {
    for version in [Version::V2025_03_26, Version::V2025_11_25, Version::V2026_07_28] {
        let body = call(&ours(), version);
        let Message::Request(request) = envelope::read(&body).expect("a message") else {
            panic!("no request")
        };
        assert_eq!((request.era, &request.id), (version.era(), &Id::Text(ours())));
        assert_eq!(ToolCall::read(&request).expect("a call").name, ours());
    }
}

#[test]
fn every_form_is_said_again_of_another_tool_to_another_id() {
    for form in [
        r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"Unknown tool: NAME"}}"#,
        r#"{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"no such thing"}}"#,
        r#"{ "id" : ID, "error": { "message":"NAME? NAME!", "code":-32000, "data":{"tool":"NAME"} }, "jsonrpc":"2.0" }"#,
        r#"{"jsonrpc":"2.0","id":ID,"result":{"content":[{"type":"text","text":"Tool NAME not found"}],"isError":true}}"#,
        r#"{"result":{"resultType":"complete","isError":true,"content":[],"structuredContent":{"n":1.50}},"jsonrpc":"2.0","id":ID}"#,
    ] {
        let learnt = learn(&form.replace("ID", r#""NAME""#)).unwrap_or_else(|| panic!("{form}"));
        for (id, written, tool, spelt) in [
            (Id::Number(7), "7", "delete_all", "delete_all"),
            (Id::Text("a\"b".into()), r#""a\"b""#, "say \"naïve\"\n", r#"say \"naïve\"\n"#),
        ] {
            let expected = form.replace("NAME", spelt).replace("ID", written);
            assert_eq!(said(&learnt, &id, tool), expected);
        }
    }
}

#[test]
fn what_says_anything_else_is_not_learnt() {
    for body in [
        // It was done.
        r#"{"jsonrpc":"2.0","id":"NAME","result":{"content":[],"isError":false}}"#,
        r#"{"jsonrpc":"2.0","id":"NAME","result":{"content":[]}}"#,
        // It asks for more, or is a task.
        r#"{"jsonrpc":"2.0","id":"NAME","result":{"resultType":"input_required","isError":true}}"#,
        r#"{"jsonrpc":"2.0","id":"NAME","result":{"resultType":"task","isError":true}}"#,
        // It is about the request, and not about the tool.
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32603,"message":"try again later"}}"#,
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32000,"message":"no session"}}"#,
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":"-32602","message":"no code"}}"#,
        // It answers another request, or none.
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool: NAME"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"Unknown tool: NAME"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"NAME"}}"#,
        r#"[{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"Unknown tool: NAME"}}]"#,
        "Unknown tool: NAME",
        // It can be read in two ways.
        r#"{"jsonrpc":"2.0","id":"NAME","id":"NAME","error":{"code":-32602,"message":"NAME"}}"#,
        // It says which tools there are.
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"Unknown tool: NAME. There are: delete_all, x"}}"#,
        // It would show that the name was ours.
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"Unknown tool: tollgate_no_such_tool_00.."}}"#,
        r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"Unknown tool: Tollgate_No_Such_Tool_00112233445566778899aabbccddeeff"}}"#,
    ] {
        assert_eq!(learn(body), None, "{body}");
    }
    let long = format!(
        r#"{{"jsonrpc":"2.0","id":"NAME","error":{{"code":-32602,"message":"{}"}}}}"#,
        "x".repeat(4096)
    );
    assert_eq!(learn(&long), None);
    // A word that only holds another tool's name is no name.
    let plain = r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"not delete_all_2"}}"#;
    assert!(learn(plain).is_some());
}

#[test]
fn a_status_is_learnt_where_it_is_that_of_the_error() {
    let error = r#"{"jsonrpc":"2.0","id":"NAME","error":{"code":-32602,"message":"Unknown tool: NAME"}}"#;
    let result = r#"{"jsonrpc":"2.0","id":"NAME","result":{"isError":true,"content":[]}}"#;
    for (status, era, body, learns) in [
        (StatusCode::BAD_REQUEST, Era::Modern, error, true),
        (StatusCode::NOT_FOUND, Era::Modern, error, true),
        (StatusCode::BAD_REQUEST, Era::Modern, result, false),
        (StatusCode::TOO_MANY_REQUESTS, Era::Modern, error, false),
        // There it says that the session is gone.
        (StatusCode::NOT_FOUND, Era::Legacy, error, false),
        (StatusCode::BAD_REQUEST, Era::Legacy, error, false),
        (StatusCode::INTERNAL_SERVER_ERROR, Era::Legacy, error, false),
    ] {
        let learnt = learn_as(status, era, body, &[]);
        assert_eq!(
            learnt.map(|form| form.of(&Id::Number(1), "x").0),
            learns.then_some(status),
            "{status} {body}"
        );
    }
}

fn event(text: &str) -> Event {
    let mut parser = Parser::new(10_000);
    parser.push(text.as_bytes());
    parser.next_event().expect("small").expect("an event")
}

#[test]
fn an_event_keeps_its_form_and_loses_its_id() {
    for (stream, expected) in [
        ("event: message\ndata: BODY\n\n", "event: message\ndata: BODY\n\n"),
        ("id: 7\r\nevent: message\r\ndata: BODY\r\n\r\n", "event: message\r\ndata: BODY\r\n\r\n"),
        ("data: BODY\nid\nretry: 5\n\n", "data: BODY\nretry: 5\n\n"),
    ] {
        let body = |tool: &str, id: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32602,"message":"Unknown tool: {tool}"}}}}"#
            )
        };
        let event = event(&stream.replace("BODY", &body(&ours(), &format!("\"{}\"", ours()))));
        let answer = Answer { status: OK, body: event.data().expect("data"), event: Some(&event) };
        let form = UnknownTool::learn(&answer, &ours(), Era::Legacy, std::iter::empty()).expect("a form");
        let (status, events, text) = form.of(&Id::Number(3), "x");
        assert_eq!((status, events), (OK, true));
        assert_eq!(String::from_utf8(text).expect("text"), expected.replace("BODY", &body("x", "3")));
    }
}
