//! Connecting upstream servers: who may, what is asked, whose answer counts, and what ends a connection.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use control::{
    Actor, Conflict, ConnectionState, Control, Departure, Error, Login, LoginChange, NewConnectLink,
    NewServer, NewUpstreamClient, Server, ServerChange, Session,
};
use serde_json::{Value, json};
use testkit::upstream::{self, Received, Upstream};

use crate::world::{World, fields, secret};

/// Something else about an authorization server.
type Change = fn(&mut Value);

/// What only this test's browser has.
const BROWSER: &str = "cookie";

/// A server that wants a token, and the authorization server in front of it: metadata is changed by `change`.
async fn desk(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Upstream {
    Upstream::start(move |request| serve(request, &change)).await
}

fn serve(request: &Received, change: &impl Fn(&mut Value)) -> Response<Body> {
    let base = format!("http://{}", request.header("host"));
    let found = match request.uri.path() {
        "/.well-known/oauth-protected-resource/mcp" => {
            json!({ "resource": format!("{base}/mcp"), "authorization_servers": [base] })
        }
        "/.well-known/oauth-authorization-server" => {
            let mut metadata = json!({
                "issuer": base,
                "authorization_endpoint": format!("{base}/authorize"),
                "token_endpoint": format!("{base}/token"),
                "code_challenge_methods_supported": ["S256"],
                "client_id_metadata_document_supported": true,
            });
            change(&mut metadata);
            metadata
        }
        "/token" => json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 3600 }),
        _ => return upstream::raw(StatusCode::UNAUTHORIZED, "application/json", "{}"),
    };
    upstream::json(&found)
}

async fn register(world: &World, actor: &Actor, upstream: &Upstream) -> Server {
    let input = NewServer {
        name: "Desk".to_owned(),
        upstream_url: upstream.url().to_string(),
        headers: Vec::new(),
        catalogue_entry: None,
    };
    world.control.register_server(actor, &input).await.unwrap()
}

async fn person(world: &World, name: &str) -> (Session, Actor) {
    let new = world.sign_up(&format!("owner@{name}.example"), name).await;
    let session = world.session(&new).await.unwrap();
    let actor = session.actor(name).unwrap();
    (session, actor)
}

async fn begin(control: &Control, actor: &Actor, server: &Server) -> Result<Departure, Error> {
    control.begin_connect(actor, server.id, None, BROWSER).await
}

fn parameter(departure: &Departure, name: &str) -> Option<String> {
    departure.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The answer that is waited for.
fn back(departure: &Departure) -> String {
    format!("code=x&state={}", parameter(departure, "state").unwrap())
}

#[track_caller]
fn said(result: Result<impl std::fmt::Debug, Error>) -> String {
    match result {
        Err(Error::Conflict(conflict)) => conflict.to_string(),
        other => panic!("it should be refused: {other:?}"),
    }
}

#[tokio::test]
async fn a_person_connects_and_moving_the_server_ends_it() {
    let (world, upstream) = (World::new().await, desk(|_| {}).await);
    let (session, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let departure = begin(&world.control, &owner, &server).await.unwrap();
    assert_eq!((departure.host.as_str(), departure.scopes.as_slice()), ("127.0.0.1", &[][..]));
    assert_eq!(parameter(&departure, "client_id").unwrap(), "https://tollgate.example/oauth/client.json");
    assert_eq!(parameter(&departure, "resource").unwrap(), upstream.url().as_str());
    assert_eq!(parameter(&departure, "scope"), None);

    let arrived = world.control.finish_connect(Some(&session), BROWSER, &back(&departure)).await.unwrap();
    assert_eq!((arrived.server, arrived.organisation.as_deref()), (server.id, Some("mine")));
    let login = world.control.server_login(&owner, server.id).await.unwrap();
    assert_eq!((login.login, login.connections.len()), (Login::Shared, 1));
    assert_eq!(login.connections[0].state, ConnectionState::Connected);
    // Nothing renews it, so its end is the end.
    world.minutes(61);
    let login = world.control.server_login(&owner, server.id).await.unwrap();
    assert_eq!(login.connections[0].state, ConnectionState::NeedsReconnecting);

    let elsewhere = desk(|_| {}).await;
    let change = ServerChange { upstream_url: Some(elsewhere.url().to_string()), ..ServerChange::default() };
    world.control.update_server(&owner, server.id, &change).await.unwrap();
    assert!(world.control.server_login(&owner, server.id).await.unwrap().connections.is_empty());
    let sent = elsewhere.received();
    assert!(!sent.is_empty() && sent.iter().all(|request| request.header("authorization").is_empty()));
}

#[tokio::test]
async fn an_answer_is_for_who_was_sent_away_and_not_for_ever() {
    let (world, upstream) = (World::new().await, desk(|_| {}).await);
    let (session, owner) = person(&world, "mine").await;
    let (other, _) = person(&world, "other").await;
    let server = register(&world, &owner, &upstream).await;
    let begun = async || begin(&world.control, &owner, &server).await.unwrap();
    let finish = async |session, browser, departure: &Departure| {
        world.control.finish_connect(session, browser, &back(departure)).await
    };
    let departure = begun().await;
    assert!(said(finish(Some(&session), "another browser", &departure).await).contains("in another browser"));
    assert!(matches!(finish(Some(&other), BROWSER, &departure).await, Err(Error::Unauthenticated)));
    // It was used up by that.
    assert!(said(finish(Some(&session), BROWSER, &departure).await).contains("for the second time"));
    let departure = begun().await;
    assert!(matches!(finish(None, BROWSER, &departure).await, Err(Error::Unauthenticated)));
    let departure = begun().await;
    world.minutes(11);
    assert!(said(finish(Some(&session), BROWSER, &departure).await).contains("too late"));
    let departure = begun().await;
    let wrong = format!("{}&iss=https%3A%2F%2Fevil.example", back(&departure));
    let refused = world.control.finish_connect(Some(&session), BROWSER, &wrong).await;
    assert!(said(refused).contains("did not come from the authorization server"));
    assert!(world.control.server_login(&owner, server.id).await.unwrap().connections.is_empty());
    assert!(upstream.received().iter().all(|request| request.uri.path() != "/token"));
}

#[tokio::test]
async fn an_unfit_authorization_server_is_said_in_words() {
    let world = World::new().await;
    let (_, owner) = person(&world, "mine").await;
    let cases: [(Change, &str); 4] = [
        (|metadata| metadata["issuer"] = json!("https://evil.example"), "says that it is another one"),
        (|metadata| metadata["code_challenge_methods_supported"] = json!(["plain"]), "supports PKCE"),
        (|metadata| metadata["authorization_endpoint"] = json!("javascript:alert(1)"), "can't be called"),
        (|metadata| metadata["token_endpoint"] = Value::Null, "has no address"),
    ];
    for (at, (change, words)) in cases.into_iter().enumerate() {
        let upstream = desk(change).await;
        let server = register(&world, &owner, &upstream).await;
        let said = said(begin(&world.control, &owner, &server).await);
        assert!(said.contains(words), "{at}: {said}");
        world.control.delete_server(&owner, server.id).await.unwrap();
    }
}

#[tokio::test]
async fn where_nobody_registers_by_themselves_the_operator_does() {
    let world = World::new().await;
    let upstream = desk(|metadata| metadata["client_id_metadata_document_supported"] = json!(false)).await;
    let (_, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let refused = begin(&world.control, &owner, &server).await;
    let Err(Error::Conflict(Conflict::NeedsClient { redirect_uri, .. })) = refused else {
        panic!("a client is needed: {refused:?}")
    };
    assert_eq!(redirect_uri, "https://tollgate.example/oauth/callback");

    let client = |id: &str, text: &str| {
        let client = NewUpstreamClient { client_id: id.to_owned(), client_secret: Some(secret(text)) };
        LoginChange { login: None, client: Some(client) }
    };
    let typed = world.control.change_login(&owner, server.id, &client("", "s")).await;
    assert_eq!(fields(typed), ["/client/client_id"]);
    world.control.change_login(&owner, server.id, &client("by-hand", "s3cret")).await.unwrap();
    let departure = begin(&world.control, &owner, &server).await.unwrap();
    assert_eq!(parameter(&departure, "client_id").unwrap(), "by-hand");
    let stored = world
        .count("SELECT count(*) FROM upstream_clients WHERE position('s3cret'::bytea in sealed_secret) > 0")
        .await;
    assert_eq!(stored, 0, "the secret is sealed");
    world.control.change_login(&owner, server.id, &client("", "")).await.unwrap();
    assert!(begin(&world.control, &owner, &server).await.is_err());
}

#[tokio::test]
async fn admins_connect_and_people_only_are_sent_away() {
    let (world, upstream) = (World::new().await, desk(|_| {}).await);
    let (_, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let admin = world.with_role(&owner, "admin").await;
    assert!(matches!(begin(&world.control, &admin, &server).await, Err(Error::PeopleOnly)));
    let editor = world.with_role(&owner, "editor").await;
    let link = NewConnectLink::default();
    assert!(matches!(begin(&world.control, &editor, &server).await, Err(Error::Forbidden { .. })));
    let made = world.control.make_connect_link(&editor, server.id, &link).await;
    assert!(matches!(made, Err(Error::Forbidden { .. })));
    let change = LoginChange { login: Some(Login::Identity), client: None };
    assert!(matches!(
        world.control.change_login(&editor, server.id, &change).await,
        Err(Error::Forbidden { .. })
    ));

    // A program makes a link instead; where each identity has its own, it says for whom.
    world.control.make_connect_link(&admin, server.id, &link).await.unwrap();
    world.control.change_login(&admin, server.id, &change).await.unwrap();
    assert_eq!(fields(world.control.make_connect_link(&admin, server.id, &link).await), ["/identity"]);
    let personal = NewConnectLink { identity: Some("ada@example.com".to_owned()) };
    let made = world.control.make_connect_link(&admin, server.id, &personal).await.unwrap();
    let token = secret(made.url.rsplit('/').next().unwrap());
    assert_eq!(
        world.control.connect_page(&token).await.unwrap().identity.as_deref(),
        Some("ada@example.com")
    );
    world.minutes(7 * 24 * 60);
    assert!(matches!(world.control.connect_page(&token).await, Err(Error::NotFound)));
}
