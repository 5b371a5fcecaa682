//! Samples of connecting upstream servers.

use super::data::*;
use super::html;
use crate::pages::connect::{DepartPage, Done, LinkPage};
use crate::pages::servers::login::{Depart, Link, LoginView};
use control::{
    ConnectLink, ConnectPage, Connection, ConnectionState, Departure, Login, ServerLogin, UpstreamClient,
};
use domain::{Role, ServerId};

pub fn all() -> Vec<(&'static str, String)> {
    let departure = Departure {
        url: "https://login.flowforge.example/authorize?state=x".parse().expect("an address"),
        host: "login.flowforge.example".to_owned(),
        scopes: vec!["runs:read".to_owned(), "runs:write".to_owned(), "offline_access".to_owned()],
        server: id::<ServerId>(10),
        server_name: "Flowforge".to_owned(),
        identity: None,
    };
    let page = ConnectPage {
        organisation: "Acme Robotics".to_owned(),
        server_name: "Flowforge".to_owned(),
        host: "mcp.flowforge.example".to_owned(),
        identity: Some("grace@acme.example".to_owned()),
        created_by: "ada@acme.example".to_owned(),
        expires_at: now() + chrono::Duration::days(6),
    };
    let link = ConnectLink {
        url: "https://tollgate.acme.example/connect/tg_connect_2Qv3mY0bJr8sZk1tWc5xLh7nPd9fGa4eUi6oKq0yMz3BvRtXw".to_owned(),
        identity: Some("grace@acme.example".to_owned()),
        expires_at: now() + chrono::Duration::days(7),
    };
    let deeper = |inner| deeper("/settings", inner, "Settings");
    vec![
        (
            "servers-depart",
            html(&Depart {
                frame: frame("servers", Role::Owner),
                view: deeper("Connect"),
                departure: departure.clone(),
            }),
        ),
        (
            "servers-link",
            html(&Link { frame: frame("servers", Role::Owner), view: deeper("Connect link"), made: link }),
        ),
        (
            "connect-link",
            html(&LinkPage { csrf: "5f4c3a".to_owned(), action: "/connect/tg_connect_x".to_owned(), page }),
        ),
        ("connect-depart", html(&DepartPage { departure: Departure { scopes: Vec::new(), ..departure } })),
        (
            "connect-done",
            html(&Done {
                server_name: "Flowforge".to_owned(),
                identity: Some("grace@acme.example".to_owned()),
            }),
        ),
    ]
}

fn connection(n: u128, identity: Option<&str>) -> Connection {
    Connection {
        id: id(n),
        identity: identity.map(str::to_owned),
        state: ConnectionState::Connected,
        message: "Renews itself.".to_owned(),
        issuer: "https://login.flowforge.example".to_owned(),
        scopes: vec!["runs:read".to_owned()],
        wanted_scopes: Vec::new(),
        connected_by: "ada@acme.example".to_owned(),
        connected_at: ago(60 * 26),
        renewed_at: ago(10),
        expires_at: Some(now() + chrono::Duration::minutes(50)),
        renewable: true,
    }
}

fn ended(connection: Connection) -> Connection {
    let because =
        "the authorization server does not renew it any more: it was revoked there, or not used for too long";
    Connection {
        state: ConnectionState::NeedsReconnecting,
        message: format!("Needs reconnecting because {because}."),
        renewable: false,
        ..connection
    }
}

fn login(login: Login, connections: Vec<Connection>) -> ServerLogin {
    ServerLogin {
        login,
        redirect_uri: "https://tollgate.acme.example/oauth/callback".to_owned(),
        clients: Vec::new(),
        connections,
    }
}

/// One connection for all, that the upstream wants more of.
pub fn shared() -> LoginView {
    let wanted_scopes = vec!["runs:write".to_owned()];
    let connection = Connection { wanted_scopes, ..connection(40, None) };
    LoginView { login: login(Login::Shared, vec![connection]), identities: Vec::new(), wanted: false }
}

/// None yet, and the server wants one.
pub fn by_headers() -> LoginView {
    let client = UpstreamClient {
        issuer: "https://login.desk.example".to_owned(),
        client_id: "tollgate-acme".to_owned(),
        has_secret: true,
        client_auth: "private_key_jwt".to_owned(),
        public_key: Some(serde_json::json!({
            "crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "alg": "EdDSA", "use": "sig",
        })),
        by_hand: true,
        created_at: ago(30),
    };
    let login = ServerLogin { clients: vec![client], ..login(Login::Headers, Vec::new()) };
    LoginView { login, identities: Vec::new(), wanted: true }
}

/// One for each identity: one works, one has ended, one was never made.
pub fn personal() -> LoginView {
    let (grace, alan) = ("grace@acme.example", "alan@acme.example");
    let connections = vec![ended(connection(41, Some(alan))), connection(42, Some(grace))];
    let identities = vec![
        (alan.to_owned(), Some(connections[0].clone())),
        ("ci-bot".to_owned(), None),
        (grace.to_owned(), Some(connections[1].clone())),
    ];
    LoginView { login: login(Login::Identity, connections), identities, wanted: false }
}
