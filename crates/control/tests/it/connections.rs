//! Connecting upstream servers: who may, what is asked, whose answer counts, and what ends a connection.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use control::{
    Actor, ClientAuthentication, Conflict, ConnectionState, Control, Departure, EndedAccess, Error, Login,
    LoginChange, NewConnectLink, NewServer, NewUpstreamClient, Server, ServerChange, Session,
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
        let client = NewUpstreamClient {
            client_id: id.to_owned(),
            client_secret: Some(secret(text)),
            ..NewUpstreamClient::default()
        };
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

/// A server of the protocol's first revision: nothing says who issues its tokens. `metadata` is served at its root, if any.
async fn first_revision(metadata: Option<Change>) -> Upstream {
    Upstream::start(move |request| {
        let base = format!("http://{}", request.header("host"));
        match (request.uri.path(), metadata) {
            ("/.well-known/oauth-authorization-server", Some(change)) => {
                let mut metadata = json!({
                    "issuer": base,
                    "authorization_endpoint": format!("{base}/log-in"),
                    "token_endpoint": format!("{base}/tokens"),
                    "code_challenge_methods_supported": ["S256"],
                    "client_id_metadata_document_supported": true,
                });
                change(&mut metadata);
                upstream::json(&metadata)
            }
            ("/register", None) => upstream::json(&json!({ "client_id": "registered" })),
            (path, _) if path.starts_with("/.well-known/") => {
                upstream::raw(StatusCode::NOT_FOUND, "text/plain", "no")
            }
            _ => {
                let mut refused = upstream::raw(StatusCode::UNAUTHORIZED, "application/json", "{}");
                refused.headers_mut().insert("www-authenticate", "Bearer".parse().unwrap());
                refused
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_server_of_the_first_revision_is_its_own_authorization_server() {
    let world = World::new().await;
    let (_, owner) = person(&world, "mine").await;
    let cases: [(Option<Change>, &str, &str); 3] = [
        (Some(|_| {}), "/log-in", "https://tollgate.example/oauth/client.json"),
        (
            Some(|metadata| metadata["issuer"] = json!(format!("{}/", metadata["issuer"].as_str().unwrap()))),
            "/log-in",
            "https://tollgate.example/oauth/client.json",
        ),
        (None, "/authorize", "registered"),
    ];
    for (metadata, path, client) in cases {
        let upstream = first_revision(metadata).await;
        let server = register(&world, &owner, &upstream).await;
        let departure = begin(&world.control, &owner, &server).await.unwrap();
        assert_eq!((departure.url.path(), departure.url.port()), (path, upstream.url().port()));
        assert_eq!(parameter(&departure, "client_id").unwrap(), client);
        assert_eq!(parameter(&departure, "code_challenge_method").unwrap(), "S256");
        assert_eq!(parameter(&departure, "resource").unwrap(), upstream.url().as_str());
        world.control.delete_server(&owner, server.id).await.unwrap();
    }
    // One that names another issuer is not believed.
    let upstream = first_revision(Some(|metadata| metadata["issuer"] = json!("https://evil.example"))).await;
    let server = register(&world, &owner, &upstream).await;
    let refused = said(begin(&world.control, &owner, &server).await);
    assert!(refused.contains("says that it is another one"), "{refused}");
}

#[tokio::test]
async fn a_client_with_a_secret_connects_without_a_person() {
    let world = World::new().await;
    let upstream = desk(|metadata| {
        let base = metadata["issuer"].as_str().unwrap().to_owned();
        metadata["revocation_endpoint"] = json!(format!("{base}/revoke"));
    })
    .await;
    let (_, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let refused = said(world.control.connect_as_client(&owner, server.id).await);
    assert!(refused.contains("store its id and secret first"), "{refused}");
    let client = |text: Option<&str>| LoginChange {
        login: None,
        client: Some(NewUpstreamClient {
            client_id: "robot".to_owned(),
            client_secret: text.map(secret),
            client_auth: text.map(|_| ClientAuthentication::ClientSecretPost),
            ..NewUpstreamClient::default()
        }),
    };
    world.control.change_login(&owner, server.id, &client(None)).await.unwrap();
    let refused = said(world.control.connect_as_client(&owner, server.id).await);
    assert!(refused.contains("without a secret"), "{refused}");
    world.control.change_login(&owner, server.id, &client(Some("s3cret"))).await.unwrap();
    let editor = world.with_role(&owner, "editor").await;
    let refused = world.control.connect_as_client(&editor, server.id).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));

    let login = world.control.connect_as_client(&owner, server.id).await.unwrap();
    assert_eq!((login.login, login.connections.len()), (Login::Shared, 1));
    assert_eq!(login.clients[0].client_auth, "client_secret_post");
    let connection = &login.connections[0];
    assert!(connection.renewable && connection.state == ConnectionState::Connected, "{connection:?}");
    let form = sent_to(&upstream, "/token");
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "robot"),
        ("client_secret", "s3cret"),
        ("resource", upstream.url().as_str()),
    ] {
        assert!(form.contains(&(name.to_owned(), value.to_owned())), "{name}: {form:?}");
    }
    // The authorization server of this test refuses revocation: the connection is ended all the same.
    let ended = world.control.disconnect(&owner, server.id, connection.id).await.unwrap();
    assert_eq!(ended.access, EndedAccess::Failed);
    assert!(ended.message.contains("end the access by hand"), "{}", ended.message);
    assert!(sent_to(&upstream, "/revoke").contains(&("token".to_owned(), "opaque".to_owned())));
    assert!(world.control.server_login(&owner, server.id).await.unwrap().connections.is_empty());
}

/// The form that was last sent there.
fn sent_to(upstream: &Upstream, path: &str) -> Vec<(String, String)> {
    let sent = upstream.received();
    let request = sent.iter().rfind(|request| request.uri.path() == path);
    let body = &request.unwrap_or_else(|| panic!("nothing was sent to {path}")).body;
    url::form_urlencoded::parse(body).into_owned().collect()
}

#[tokio::test]
async fn a_private_key_is_stored_for_what_it_is() {
    let (world, upstream) = (World::new().await, desk(|_| {}).await);
    let (_, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let change = |client_secret: Option<&str>, key: Option<&str>, client_auth| LoginChange {
        login: None,
        client: Some(NewUpstreamClient {
            client_id: "robot".to_owned(),
            client_secret: client_secret.map(secret),
            private_key: key.map(secret),
            client_auth,
            ..NewUpstreamClient::default()
        }),
    };
    let signs = Some(ClientAuthentication::PrivateKeyJwt);
    for (input, field) in [
        (change(None, Some("no key"), signs), "/client/private_key"),
        (change(None, None, signs), "/client/private_key"),
        (change(Some("s"), Some("no key"), None), "/client/private_key"),
        (change(None, None, Some(ClientAuthentication::ClientSecretPost)), "/client/client_secret"),
        (
            change(None, Some("-----BEGIN"), Some(ClientAuthentication::ClientSecretPost)),
            "/client/client_auth",
        ),
    ] {
        assert_eq!(fields(world.control.change_login(&owner, server.id, &input).await), [field], "{input:?}");
    }
}

/// A server that lets a client in by itself, connected so.
async fn connected(world: &World, owner: &Actor, upstream: &Upstream) -> Server {
    let server = register(world, owner, upstream).await;
    let client = NewUpstreamClient {
        client_id: "robot".to_owned(),
        client_secret: Some(secret("s3cret")),
        client_auth: Some(ClientAuthentication::ClientSecretPost),
        ..NewUpstreamClient::default()
    };
    let change = LoginChange { login: None, client: Some(client) };
    world.control.change_login(owner, server.id, &change).await.unwrap();
    world.control.connect_as_client(owner, server.id).await.unwrap();
    server
}

#[tokio::test]
async fn what_a_change_ends_is_given_back_and_nobody_waits_for_it() {
    let (answer, stream) = upstream::stream();
    let upstream = Upstream::start(move |request| match request.uri.path() {
        // The authorization server takes its time.
        "/revoke" => upstream::raw(StatusCode::OK, "application/json", stream.clone()),
        _ => serve(request, &|metadata: &mut Value| {
            metadata["revocation_endpoint"] =
                json!(format!("{}/revoke", metadata["issuer"].as_str().unwrap()));
        }),
    })
    .await;
    let elsewhere = desk(|_| {}).await;
    let world = World::new().await;
    let (_, owner) = person(&world, "one").await;
    let revoked = async |before: usize| {
        let sent = upstream.received_at_least(before + 1).await;
        assert_eq!(sent.last().unwrap().uri.path(), "/revoke");
        assert!(sent_to(&upstream, "/revoke").contains(&("token".to_owned(), "opaque".to_owned())));
    };

    let server = connected(&world, &owner, &upstream).await;
    let before = upstream.received().len();
    world.control.delete_server(&owner, server.id).await.unwrap();
    assert!(matches!(world.control.server(&owner, server.id).await, Err(Error::NotFound)));
    revoked(before).await;

    let server = connected(&world, &owner, &upstream).await;
    let before = upstream.received().len();
    let moved = ServerChange { upstream_url: Some(elsewhere.url().to_string()), ..ServerChange::default() };
    world.control.update_server(&owner, server.id, &moved).await.unwrap();
    revoked(before).await;

    let (session, owner) = person(&world, "two").await;
    let server = connected(&world, &owner, &upstream).await;
    let before = upstream.received().len();
    let login = |login| LoginChange { login: Some(login), client: None };
    world.control.change_login(&owner, server.id, &login(Login::Identity)).await.unwrap();
    revoked(before).await;

    let ada = Some("ada@mine.example");
    let departure = world.control.begin_connect(&owner, server.id, ada, BROWSER).await.unwrap();
    world.control.finish_connect(Some(&session), BROWSER, &back(&departure)).await.unwrap();
    let before = upstream.received().len();
    let after = world.control.change_login(&owner, server.id, &login(Login::Headers)).await.unwrap();
    assert!(after.connections.is_empty());
    revoked(before).await;
    drop(answer);
}

#[tokio::test]
async fn a_key_is_known_by_its_thumbprint_or_by_what_was_typed() {
    let (world, upstream) = (World::new().await, desk(|_| {}).await);
    let (_, owner) = person(&world, "mine").await;
    let server = register(&world, &owner, &upstream).await;
    let key = concat!(
        "-----BEGIN PRIVATE KEY-----\n",
        "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n",
        "-----END PRIVATE KEY-----\n"
    );
    let change = |key: Option<&str>, key_id: Option<&str>| LoginChange {
        login: None,
        client: Some(NewUpstreamClient {
            client_id: "robot".to_owned(),
            private_key: key.map(secret),
            key_id: key_id.map(str::to_owned),
            ..NewUpstreamClient::default()
        }),
    };
    let stored = world.control.change_login(&owner, server.id, &change(Some(key), Some(" "))).await.unwrap();
    // RFC 8037, A.2 and A.3.
    let public = json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "use": "sig", "alg": "EdDSA",
    });
    assert_eq!(stored.clients[0].public_key.as_ref(), Some(&public));
    for key_id in [None, Some("their-7")] {
        let stored = world.control.change_login(&owner, server.id, &change(Some(key), key_id)).await.unwrap();
        let kid = stored.clients[0].public_key.as_ref().unwrap()["kid"].clone();
        assert_eq!(kid, key_id.map_or_else(|| public["kid"].clone(), Value::from));
        world.control.connect_as_client(&owner, server.id).await.unwrap();
        let form = sent_to(&upstream, "/token");
        let assertion = &form.iter().find(|(name, _)| name == "client_assertion").unwrap().1;
        let header = URL_SAFE_NO_PAD.decode(assertion.split('.').next().unwrap()).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&header).unwrap()["kid"], kid);
    }
    for input in
        [change(None, Some("x")), change(Some(key), Some("a\nb")), change(Some(key), Some(&"x".repeat(256)))]
    {
        let refused = world.control.change_login(&owner, server.id, &input).await;
        assert_eq!(fields(refused), ["/client/key_id"]);
    }
}
