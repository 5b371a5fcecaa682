//! What a modern client listens for.

use domain::{Surface, Surfaces};
use mcp::tasks::Names;
use mcp::{Draft, Id, Outgoing, StateGoing, envelope, listen, tasks, upstream_body};
use serde_json::{Value, json};

use crate::{modern, parsed, request};

fn listening(filter: &Value) -> String {
    modern("subscriptions/listen", json!({ "notifications": filter }))
}

#[test]
fn only_what_is_known_can_be_asked_for() {
    for good in [
        json!({}),
        json!({ "toolsListChanged": true, "promptsListChanged": false, "resourcesListChanged": true }),
        json!({ "resourceSubscriptions": ["file:///a"], "taskIds": [] }),
    ] {
        assert_eq!(listen::check(&request(&listening(&good))), Ok(()), "{good}");
    }
    for bad in [
        json!(true),
        json!({ "toolsListChanged": "yes" }),
        json!({ "taskIds": "t" }),
        json!({ "resourceSubscriptions": [1] }),
        json!({ "everything": true }),
    ] {
        let refused = listen::check(&request(&listening(&bad))).expect_err("refused");
        assert_eq!(
            (refused.http_status.as_u16(), refused.code, refused.reason),
            (400, -32602, "subscription")
        );
    }
    let none = modern("subscriptions/listen", json!({}));
    assert!(listen::check(&request(&none)).is_err());
}

#[test]
fn what_is_closed_is_not_asked_for() {
    let filter = json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["file:///a"], "taskIds": ["<a>"],
    });
    let body = listening(&filter);
    let message = envelope::read(body.as_bytes()).expect("a message");
    assert_eq!(tasks::named_by(&message), Ok(vec!["<a>"]));
    let names = Names::from([("<a>".to_owned(), "a".to_owned())]);
    let sent = |open| {
        let sent = upstream_body(
            body.as_bytes(),
            &message,
            &Outgoing { open, state: StateGoing::Same, asked: None, tasks: &names, trace: None },
        );
        parsed(&sent)["params"]["notifications"].clone()
    };
    assert_eq!(sent(Surfaces::NONE), json!({ "toolsListChanged": true, "taskIds": ["a"] }));
    assert_eq!(
        sent(Surfaces::NONE.with(Surface::Prompts)),
        json!({ "toolsListChanged": true, "promptsListChanged": true, "taskIds": ["a"] })
    );
    assert_eq!(sent(Surfaces::ALL)["resourceSubscriptions"], json!(["file:///a"]));
}

#[test]
fn an_acknowledgement_says_whether_tools_are_told_of() {
    let acknowledged = |filter: Value| {
        let message = json!({
            "jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": { "notifications": filter },
        });
        Draft::read(message.to_string().as_bytes()).expect("readable").acknowledges_tools()
    };
    assert!(acknowledged(json!({ "toolsListChanged": true })));
    assert!(!acknowledged(json!({ "toolsListChanged": false })) && !acknowledged(json!({})));
    let other = br#"{"method":"notifications/message","params":{"notifications":{"toolsListChanged":true}}}"#;
    assert!(!Draft::read(other).expect("readable").acknowledges_tools());
}

#[test]
fn what_the_gateway_says_itself_is_tagged() {
    let id = Id::Text("s".to_owned());
    let tag = json!({ "io.modelcontextprotocol/subscriptionId": "s" });
    let changed = parsed(&listen::tools_changed(Some(&id)));
    assert_eq!(
        (&changed["method"], &changed["params"]["_meta"]),
        (&json!("notifications/tools/list_changed"), &tag)
    );
    assert_eq!(changed.get("id"), None);
    assert_eq!(parsed(&listen::tools_changed(None)).get("params"), None);
    let ended = parsed(&listen::ended(&id));
    assert_eq!(
        (&ended["id"], &ended["result"]["_meta"], &ended["result"]["resultType"]),
        (&json!("s"), &tag, &json!("complete"))
    );
}
