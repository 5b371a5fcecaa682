//! What a server's settings say about the protocol.

use control::{Error, NewServer, ProtocolChange, ToolApproval};
use serde_json::json;
use testkit::upstream::{self, Upstream};

use crate::world::{World, fields};

/// A server with these tools, and a second definition of them from the third look on.
async fn serving() -> Upstream {
    Upstream::start(|request| {
        let id = request.json()["id"].clone();
        let result = match request.rpc_method().as_str() {
            "initialize" => json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": { "name": "up", "version": "1" } }),
            "tools/list" => json!({ "tools": [{ "name": "read", "inputSchema": { "type": "object" } }, { "name": "write", "inputSchema": { "type": "object" } }] }),
            _ => return upstream::json(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no" } })),
        };
        upstream::json(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    })
    .await
}

#[tokio::test]
async fn methods_are_listed_and_tools_pinned() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let upstream = serving().await;
    let input = NewServer {
        name: "Up".to_owned(),
        upstream_url: upstream.url().to_string(),
        headers: Vec::new(),
        catalogue_entry: None,
    };
    let server = world.control.register_server(&owner, &input).await.unwrap().id;
    let before = world.control.protocol(&owner, server).await.unwrap();
    assert!(before.custom_methods.is_empty() && !before.pin_tools && before.unapproved_tools.is_empty());

    let listed = ["acme/search".to_owned(), " acme/search ".to_owned(), "notifications/acme/x".to_owned()];
    let change = ProtocolChange { custom_methods: Some(listed.to_vec()), pin_tools: None };
    let settings = world.control.change_protocol(&owner, server, &change).await.unwrap();
    assert_eq!(settings.custom_methods, ["acme/search", "notifications/acme/x"]);

    let pin = ProtocolChange { custom_methods: None, pin_tools: Some(true) };
    let settings = world.control.change_protocol(&owner, server, &pin).await.unwrap();
    assert!(settings.pin_tools && settings.unapproved_tools.is_empty(), "pinned as they were last read");
    assert_eq!(settings.custom_methods.len(), 2, "what is left out stays");
    let again = world.control.approve_tools(&owner, server, &ToolApproval::default()).await.unwrap();
    assert_eq!(again, settings);
}

#[tokio::test]
async fn a_method_of_the_protocol_can_not_be_listed() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let upstream = serving().await;
    let input = NewServer {
        name: "Up".to_owned(),
        upstream_url: upstream.url().to_string(),
        headers: Vec::new(),
        catalogue_entry: None,
    };
    let server = world.control.register_server(&owner, &input).await.unwrap().id;
    let methods = ["acme/fine", "tools/call", "resources/read", "a b", ""].map(str::to_owned).to_vec();
    let change = ProtocolChange { custom_methods: Some(methods), pin_tools: None };
    let refused = world.control.change_protocol(&owner, server, &change).await;
    assert_eq!(
        fields(refused),
        ["/custom_methods/1", "/custom_methods/2", "/custom_methods/3", "/custom_methods/4"]
    );
    let many = vec!["acme/x".to_owned(); 51];
    let change = ProtocolChange { custom_methods: Some(many), pin_tools: None };
    assert!(matches!(world.control.change_protocol(&owner, server, &change).await, Err(Error::Invalid(_))));
    let other = world.owner("globex").await;
    assert!(matches!(world.control.protocol(&other, server).await, Err(Error::NotFound)));
    assert!(matches!(
        world.control.approve_tools(&other, server, &ToolApproval::default()).await,
        Err(Error::NotFound)
    ));
}
