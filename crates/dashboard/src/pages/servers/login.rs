//! How a server is logged in to: what its pages show of it, and the forms that change it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{
    ClientAuthentication, ConnectLink, Connection, ConnectionState, Departure, Login, LoginChange,
    NewConnectLink, NewUpstreamClient, Server, ServerLogin, ServerState, Standing,
};
use domain::{ConnectionId, Secret, ServerId};

use super::settings::Settings;
use super::view::View;
use crate::at::At;
use crate::caller::{Browser, Member};
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The login of a server, as its pages show it.
#[derive(Clone, Debug)]
pub struct LoginView {
    /// How, and with what.
    pub login: ServerLogin,
    /// Who may have a connection of their own, and the connection.
    pub identities: Vec<(String, Option<Connection>)>,
    /// The server wants one, and there is none.
    pub wanted: bool,
}

impl LoginView {
    /// Looks it up.
    pub async fn of(state: &DashboardState, member: &Member, server: &Server) -> Result<Self, ErrorPage> {
        let login = state.control.server_login(&member.actor, server.id).await?;
        let mut identities = BTreeMap::new();
        if login.login == Login::Identity {
            for grant in state.control.grants(&member.actor, Some(server.id)).await? {
                if grant.state == Standing::Active {
                    identities.insert(grant.identity, None);
                }
            }
            for connection in &login.connections {
                identities.insert(connection.identity.clone().unwrap_or_default(), Some(connection.clone()));
            }
        }
        let wanted = server.state == ServerState::Unauthorized && login.connections.is_empty();
        Ok(Self { wanted, identities: identities.into_iter().collect(), login })
    }

    /// The one connection for all.
    pub fn shared(&self) -> Option<&Connection> {
        self.login.connections.iter().find(|connection| connection.identity.is_none())
    }

    /// Each identity has its own.
    pub fn personal(&self) -> bool {
        self.login.login == Login::Identity
    }

    /// How many identities are connected.
    pub fn connected(&self) -> usize {
        let works = |connection: &Connection| connection.state == ConnectionState::Connected;
        self.identities.iter().filter(|(_, connection)| connection.as_ref().is_some_and(works)).count()
    }

    /// Somebody should connect.
    pub fn needs_it(&self) -> bool {
        self.shared().is_none_or(|connection| {
            connection.state == ConnectionState::NeedsReconnecting || !connection.wanted_scopes.is_empty()
        })
    }

    /// There is something to show beside the headers.
    pub fn matters(&self) -> bool {
        self.wanted || self.login.login != Login::Headers
    }

    /// The client that was registered by hand.
    pub fn by_hand(&self) -> Option<&control::UpstreamClient> {
        self.login.clients.iter().find(|client| client.by_hand)
    }

    /// The key set that its authorization server must know, where that client signs.
    pub fn key_set(&self) -> Option<String> {
        let key = self.by_hand()?.public_key.as_ref()?;
        Some(format!("{:#}", serde_json::json!({ "keys": [key] })))
    }

    /// The client that was registered by hand can ask for a token of its own.
    pub fn can_ask_itself(&self) -> bool {
        !self.personal() && self.by_hand().is_some_and(|client| client.has_secret)
    }

    /// How a client may authenticate, to choose from.
    #[expect(clippy::unused_self, reason = "a template asks the view for it")]
    pub fn ways(&self) -> Vec<(String, String)> {
        [
            ("", "As its secret and the authorization server allow"),
            ("client_secret_basic", "Secret in a header (client_secret_basic)"),
            ("client_secret_post", "Secret in the form (client_secret_post)"),
            ("private_key_jwt", "Assertion signed by the private key (private_key_jwt)"),
        ]
        .map(|(value, text)| (value.to_owned(), text.to_owned()))
        .into()
    }

    /// The form of it, as the page first shows it.
    pub fn form(&self) -> Form {
        let client_id = self.by_hand().map(|client| client.client_id.as_str()).unwrap_or_default();
        let chosen = self.by_hand().map(|client| client.client_auth.as_str()).unwrap_or_default();
        let login = self.login.login.as_str();
        Form::with([("login", login), ("client.client_id", client_id), ("client.client_auth", chosen)])
    }
}

/// The page before somebody is sent to an authorization server.
#[derive(Template)]
#[template(path = "servers/depart.html")]
pub struct Depart {
    pub frame: Frame,
    pub view: View,
    pub departure: Departure,
}

/// The page that shows a link, once.
#[derive(Template)]
#[template(path = "servers/link.html")]
pub struct Link {
    pub frame: Frame,
    pub view: View,
    pub made: ConnectLink,
}

/// `POST /o/{org}/servers/{server}/login`
pub async fn change(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let before = state.control.server_login(&member.actor, id).await?;
    let known = before.clients.iter().find(|client| client.by_hand).map(|client| client.client_id.as_str());
    let typed = form.value("client.client_id").trim().to_owned();
    let secret = form.given("client.client_secret").map(Secret::new);
    form.put("client.client_secret", String::new());
    let key = form.given("client.private_key").map(Secret::new);
    form.put("client.private_key", String::new());
    let key_id = form.given("client.key_id");
    let client_auth = ClientAuthentication::read(form.value("client.client_auth"));
    // The id stands in the form as it is stored: left alone, it changes nothing.
    let changed = typed != known.unwrap_or_default() || secret.is_some() || key.is_some();
    let client = changed.then_some(NewUpstreamClient {
        client_id: typed,
        client_secret: secret,
        private_key: key,
        key_id,
        client_auth,
    });
    let input = LoginChange { login: Login::read(form.value("login")), client };
    match state.control.change_login(&member.actor, id, &input).await {
        Ok(_) => Ok(back(&member, id)),
        Err(error) => {
            form.absorb(error)?;
            let page = Settings { login_form: form, ..Settings::of(&state, &member, id).await? };
            Ok(refused(page))
        }
    }
}

/// `POST /o/{org}/servers/{server}/connect`
pub async fn connect(
    State(state): State<DashboardState>,
    member: Member,
    Browser(browser): Browser,
    At((_, id)): At<(String, ServerId)>,
    form: Form,
) -> Result<Page<Depart>, ErrorPage> {
    let identity = form.given("identity");
    let departure = state.control.begin_connect(&member.actor, id, identity.as_deref(), &browser).await?;
    let view = View::of(&state, &member, id, "/settings").await?;
    let view = view.deeper(&member, "Connect", &[("/settings", "Settings")]);
    Ok(Page(Depart { frame: member.frame(&state, "servers"), view, departure }))
}

/// `POST /o/{org}/servers/{server}/connect-as-client`
pub async fn connect_as_client(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
) -> Result<Response, ErrorPage> {
    state.control.connect_as_client(&member.actor, id).await?;
    Ok(back(&member, id))
}

/// `POST /o/{org}/servers/{server}/disconnect`
pub async fn disconnect(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    form: Form,
) -> Result<Response, ErrorPage> {
    let connection: ConnectionId = form.value("connection").parse().map_err(|_| ErrorPage::NotFound)?;
    let ended = state.control.disconnect(&member.actor, id, connection).await?;
    let settings = format!("/servers/{id}/settings?ended={}#login", ended.access.as_str());
    Ok(Redirect::to(&member.path(&settings)).into_response())
}

/// `POST /o/{org}/servers/{server}/links`
pub async fn link(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ServerId)>,
    form: Form,
) -> Result<Page<Link>, ErrorPage> {
    let input = NewConnectLink { identity: form.given("identity") };
    let link = state.control.make_connect_link(&member.actor, id, &input).await?;
    let view = View::of(&state, &member, id, "/settings").await?;
    let view = view.deeper(&member, "Connect link", &[("/settings", "Settings")]);
    Ok(Page(Link { frame: member.frame(&state, "servers"), view, made: link }))
}

fn back(member: &Member, id: ServerId) -> Response {
    Redirect::to(&member.path(&format!("/servers/{id}/settings#login"))).into_response()
}
