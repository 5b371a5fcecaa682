//! Servers: registering with what a look finds, credentials, changed addresses, tools read anew.

use axum::body::Body;
use axum::http::Response;
use control::{Category, Error, NewHeader, NewServer, ProbeRequest, Risk, ServerChange, ServerState};
use domain::ServerId;
use serde_json::{Value, json};
use testkit::upstream::{self, Received, Upstream};

use crate::world::{World, fields, secret};

/// A server of the sessions' era with these tools.
fn listing(request: &Received, tools: &Value) -> Response<Body> {
    let result = match request.rpc_method().as_str() {
        "initialize" => json!({
            "protocolVersion": "2025-11-25", "capabilities": { "tools": {} },
            "serverInfo": { "name": "up", "version": "1" },
        }),
        "tools/list" => json!({ "tools": tools }),
        _ => {
            let error = json!({ "code": -32601, "message": "no" });
            return upstream::json(&json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": error }));
        }
    };
    upstream::json(&json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": result }))
}

async fn serving(tools: Value) -> Upstream {
    Upstream::start(move |request| listing(request, &tools)).await
}

fn tool(name: &str, description: &str) -> Value {
    json!({ "name": name, "description": description, "inputSchema": { "type": "object" } })
}

fn header(name: &str, value: &str) -> NewHeader {
    NewHeader { name: name.to_owned(), value: secret(value) }
}

fn server(name: &str, url: &str, headers: Vec<NewHeader>) -> NewServer {
    NewServer { name: name.to_owned(), upstream_url: url.to_owned(), headers, catalogue_entry: None }
}

async fn flowforge() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let app = flowforge_sim::router(flowforge_sim::Engine::default(), flowforge_sim::Options::default());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn flowforge_is_registered_with_what_is_known_of_its_49_tools() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let url = flowforge().await;
    let entry = &world.control.catalogue()[0];
    assert_eq!((entry.id.as_str(), entry.name.as_str()), ("flowforge-demo", "Flowforge (demo)"));

    let report = world
        .control
        .probe(&owner, &ProbeRequest { upstream_url: url.clone(), headers: Vec::new() })
        .await
        .unwrap();
    assert_eq!((report.state, report.tools.len()), (ServerState::Ready, 49));
    assert!(world.control.servers(&owner).await.unwrap().is_empty(), "a look saves nothing");

    let input = NewServer {
        catalogue_entry: Some("flowforge-demo".to_owned()),
        ..server("Flowforge", &url, Vec::new())
    };
    let registered = world.control.register_server(&owner, &input).await.unwrap();
    assert_eq!((registered.state, registered.tools), (ServerState::Ready, 49));
    assert_eq!(registered.state_message, "Ready. It lists 49 tools.");
    assert_eq!(registered.gateway_url, format!("https://tollgate.example/mcp/{}", registered.id));
    assert!(registered.protocol_version.is_some() && registered.upstream_name.is_some());

    let tools = world.control.tools(&owner, registered.id).await.unwrap();
    let of = |category| tools.iter().filter(|tool| tool.category == category).count();
    let counts = [Category::Read, Category::Write, Category::Execute, Category::Destructive].map(of);
    assert_eq!(counts, [23, 18, 2, 6]);
    let delete = tools.iter().find(|tool| tool.name == "flowforge_delete_task").unwrap();
    assert!(delete.in_catalogue && delete.risk == Risk::Critical);
    assert!(delete.signals.contains(&"irreversible".to_owned()) && delete.summary.is_some());
    assert!(delete.input_schema["properties"].get("task_id").is_some());
}

#[tokio::test]
async fn a_credential_reaches_the_upstream_and_nobody_else() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let upstream = serving(json!([tool("get_x", "")])).await;
    let headers = vec![header("X-Api-Key", "top-secret-credential")];
    let registered =
        world.control.register_server(&owner, &server("up", upstream.url().as_str(), headers)).await.unwrap();
    assert_eq!(registered.header_names, ["x-api-key"]);
    assert!(upstream.received().iter().all(|seen| seen.header("x-api-key") == "top-secret-credential"));

    let dump: String = sqlx::query_scalar(
        "SELECT string_agg(t::text, '') FROM (
             SELECT row_to_json(s)::text AS t FROM servers s
             UNION ALL SELECT encode(c.sealed, 'escape') FROM sealed_credentials c
             UNION ALL SELECT row_to_json(e)::text FROM admin_events e) AS everything",
    )
    .fetch_one(&mut world.db.owner().await)
    .await
    .unwrap();
    assert!(dump.contains("x-api-key") && !dump.contains("top-secret-credential"));

    // The gateway opens it, in its own row only.
    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM sealed_credentials")
        .fetch_one(&mut world.db.owner().await)
        .await
        .unwrap();
    let (tenant, name) = (owner.tenant(), "x-api-key");
    let place = vault::Place::UpstreamHeader { tenant, server: registered.id, name };
    let opened = world.keyring.open(&sealed, place).unwrap();
    assert_eq!(opened.expose().as_slice(), b"top-secret-credential");
    let elsewhere =
        vault::Place::UpstreamHeader { tenant, server: world.server(&owner, "two").await.id, name };
    assert!(world.keyring.open(&sealed, elsewhere).is_err());
}

#[tokio::test]
async fn all_fields_that_are_wrong_are_named_and_nothing_is_saved() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let input = NewServer {
        name: String::new(),
        upstream_url: "ftp://example.com".to_owned(),
        headers: vec![header("Host", "x"), header("X-Ok", "a\nb")],
        catalogue_entry: Some("none-such".to_owned()),
    };
    assert_eq!(
        fields(world.control.register_server(&owner, &input).await),
        ["/name", "/upstream_url", "/headers/0/name", "/headers/1/value", "/catalogue_entry"]
    );
    let userinfo = server("up", "https://ada:pw@example.com/mcp", Vec::new());
    assert_eq!(fields(world.control.register_server(&owner, &userinfo).await), ["/upstream_url"]);
    let nowhere = server("up", "http://host.invalid/mcp", Vec::new());
    assert_eq!(fields(world.control.register_server(&owner, &nowhere).await), ["/upstream_url"]);
    assert!(world.control.servers(&owner).await.unwrap().is_empty());
    assert_eq!(world.last_action(&owner).await, "organisation.create");
}

#[tokio::test]
async fn a_name_is_taken_once_and_the_second_leaves_nothing() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    world.server(&owner, "one").await;
    let upstream = serving(json!([tool("a", "")])).await;
    let second = server("one", upstream.url().as_str(), vec![header("X-Key", "k")]);
    assert_eq!(fields(world.control.register_server(&owner, &second).await), ["/name"]);
    assert_eq!(world.count("SELECT count(*) FROM servers").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM sealed_credentials").await, 0);
    let other = world.owner("other").await;
    world.server(&other, "one").await;
}

#[tokio::test]
async fn an_upstream_that_is_down_is_registered_and_says_so() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let registered = world.server(&owner, "down").await;
    assert_eq!((registered.state, registered.tools), (ServerState::Down, 0));
    assert!(registered.state_message.starts_with("The server refuses connections"));
    let report = ProbeRequest { upstream_url: registered.upstream_url, headers: Vec::new() };
    assert_eq!(world.control.probe(&owner, &report).await.unwrap().state, ServerState::Down);
}

#[tokio::test]
async fn credentials_do_not_follow_to_another_host() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let (old, new) = (serving(json!([tool("a", "")])).await, serving(json!([tool("b", "")])).await);
    let headers = vec![header("X-Api-Key", "k-one")];
    let before =
        world.control.register_server(&owner, &server("up", old.url().as_str(), headers)).await.unwrap();
    let elsewhere = |headers| ServerChange {
        upstream_url: Some(new.url().to_string()),
        headers,
        ..ServerChange::default()
    };
    let refused = world.control.update_server(&owner, before.id, &elsewhere(None)).await;
    assert_eq!(fields(refused), ["/headers"]);
    assert_eq!(new.received().len(), 0, "the new host was not even looked at");

    let typed = Some(vec![header("X-Api-Key", "k-two")]);
    let moved = world.control.update_server(&owner, before.id, &elsewhere(typed)).await.unwrap();
    assert_eq!(moved.upstream_url, new.url().as_str());
    assert!(new.received().iter().all(|seen| seen.header("x-api-key") == "k-two"));
    let tools = world.control.tools(&owner, before.id).await.unwrap();
    assert_eq!(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(), ["b"]);

    // On the same host they stay.
    let path = ServerChange {
        upstream_url: Some(new.url().join("/other").unwrap().to_string()),
        ..ServerChange::default()
    };
    let moved = world.control.update_server(&owner, before.id, &path).await.unwrap();
    assert_eq!(moved.header_names, ["x-api-key"]);
    assert_eq!(new.received().last().unwrap().header("x-api-key"), "k-two");
    let none = ServerChange { headers: Some(Vec::new()), ..ServerChange::default() };
    assert!(world.control.update_server(&owner, before.id, &none).await.unwrap().header_names.is_empty());
}

#[tokio::test]
async fn renaming_looks_at_nothing() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let upstream = serving(json!([])).await;
    let before =
        world.control.register_server(&owner, &server("a", upstream.url().as_str(), vec![])).await.unwrap();
    let seen = upstream.received().len();
    world.server(&owner, "taken").await;
    let rename = |name: &str| ServerChange { name: Some(name.to_owned()), ..ServerChange::default() };
    let renamed = world.control.update_server(&owner, before.id, &rename("b")).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.checked_at), ("b", before.checked_at));
    assert_eq!(upstream.received().len(), seen);
    let taken = world.control.update_server(&owner, before.id, &rename("taken")).await;
    assert_eq!(fields(taken), ["/name"]);
}

#[tokio::test]
async fn reading_the_tools_anew_tells_what_is_different() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let tools = std::sync::Arc::new(std::sync::Mutex::new(json!([
        tool("stays", "same"),
        tool("changes", "before"),
        tool("goes", ""),
    ])));
    let shared = std::sync::Arc::clone(&tools);
    let upstream = Upstream::start(move |request| {
        let tools = shared.lock().unwrap().clone();
        if tools.is_null() {
            upstream::raw(503.try_into().unwrap(), "text/plain", "")
        } else {
            listing(request, &tools)
        }
    })
    .await;
    let before =
        world.control.register_server(&owner, &server("up", upstream.url().as_str(), vec![])).await.unwrap();

    *tools.lock().unwrap() = json!([tool("comes", ""), tool("changes", "after"), tool("stays", "same")]);
    world.minutes(5);
    let refresh = world.control.refresh_tools(&owner, before.id).await.unwrap();
    assert_eq!(refresh.added, ["comes"]);
    assert_eq!(refresh.removed, ["goes"]);
    assert_eq!(refresh.changed, ["changes"]);
    let stored = world.control.tools(&owner, before.id).await.unwrap();
    assert_eq!(
        stored.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>(),
        ["comes", "changes", "stays"]
    );
    let (changes, stays) = (&stored[1], &stored[2]);
    assert_eq!(changes.changed_at, Some(refresh.server.checked_at));
    assert_eq!(stays.changed_at, Some(before.created_at));

    // An upstream in trouble takes nothing away.
    *tools.lock().unwrap() = Value::Null;
    let refresh = world.control.refresh_tools(&owner, before.id).await.unwrap();
    assert_eq!((refresh.server.state, refresh.server.tools), (ServerState::Down, 3));
    assert!(refresh.server.state_message.starts_with("Upstream answered 503."));
    assert!(refresh.removed.is_empty());
}

#[tokio::test]
async fn deleting_a_server_takes_its_grants_and_policies() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let gone = world.server(&owner, "gone").await;
    let stays = world.server(&owner, "stays").await;
    let policy = world.policy(&owner, gone.id, "p").await;
    let grant = world.grant(&owner, gone.id).await;
    world.control.attach_policy(&owner, grant.grant.id, Some(policy.summary.id)).await.unwrap();
    world.minutes(1);
    world.control.delete_server(&owner, gone.id).await.unwrap();
    assert!(matches!(world.control.server(&owner, gone.id).await, Err(Error::NotFound)));
    assert!(matches!(world.control.grant(&owner, grant.grant.id).await, Err(Error::NotFound)));
    assert!(matches!(world.control.policy(&owner, policy.summary.id, None).await, Err(Error::NotFound)));
    let left: Vec<ServerId> = world.control.servers(&owner).await.unwrap().iter().map(|s| s.id).collect();
    assert_eq!(left, [stays.id]);
    assert_eq!(world.last_action(&owner).await, "server.delete");
    assert!(matches!(world.control.delete_server(&owner, gone.id).await, Err(Error::NotFound)));
}
