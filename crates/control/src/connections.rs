//! How upstream servers are logged in to: by their headers alone, or by a connection that somebody made at the server's
//! authorization server, for the whole organisation or for each identity.

mod begin;
mod client;
mod end;
mod finish;
mod input;
mod links;
mod own;
mod view;

use domain::{Role, ServerId};
use http::HeaderValue;
use oauth::{Installation, Keeper, RenewError};
use serde_json::json;
use tokio_util::task::TaskTracker;

pub use begin::Departure;
pub(crate) use end::foreign;
pub use finish::Arrived;
pub use input::{ClientAuthentication, LoginChange, NewConnectLink, NewUpstreamClient};
pub use links::{ConnectLink, ConnectPage};
pub use view::{Connection, ConnectionState, Disconnected, EndedAccess, Login, ServerLogin, UpstreamClient};

use crate::change::Event;
use crate::input::Problems;
use crate::{Actor, Conflict, Control, Error, Server};

impl Control {
    /// Where people come back to from authorization servers.
    pub const REDIRECT_PATH: &'static str = Installation::REDIRECT;
    /// Where authorization servers read what this installation is.
    pub const CLIENT_METADATA_PATH: &'static str = Installation::METADATA;

    /// The document that authorization servers read at this installation's client id.
    pub fn client_metadata(&self) -> serde_json::Value {
        self.installation().metadata()
    }

    /// How a server is logged in to, with its connections.
    pub async fn server_login(&self, actor: &Actor, id: ServerId) -> Result<ServerLogin, Error> {
        let server = self.server(actor, id).await?;
        let mut tx = self.tenant(actor).await?;
        let (clients, connections) = (tx.upstream_clients(id).await?, tx.connections(id).await?);
        let now = self.now();
        Ok(ServerLogin {
            login: server.login,
            redirect_uri: self.installation().redirect_uri,
            clients: clients.into_iter().map(UpstreamClient::from).collect(),
            connections: connections.into_iter().map(|row| Connection::of(row, now)).collect(),
        })
    }

    /// Says how a server is logged in to, and stores a client that was registered by hand. Connections that do not fit
    /// are ended. Needs `admin`.
    pub async fn change_login(
        &self,
        actor: &Actor,
        id: ServerId,
        input: &LoginChange,
    ) -> Result<ServerLogin, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let client = match &input.client {
            Some(typed) => Some(self.typed_client(actor, &server, typed).await?),
            None => None,
        };
        let login = input.login.unwrap_or(server.login);
        let mut change = self.change(actor).await?;
        if !change.set_login(id, login.as_str()).await? {
            return Err(Error::NotFound);
        }
        let ended = end::others(&mut change, id, login).await?;
        match &client {
            Some(Some(row)) => change.upsert_upstream_client(id, row).await?,
            Some(None) => change.delete_upstream_clients(id, None).await?,
            None => {}
        }
        let event = Event::new("server.login", id.uuid(), server.name);
        let client =
            client.map(|row| row.map(|row| json!({ "issuer": row.issuer, "client_id": row.client_id })));
        let details = json!({ "before": server.login, "login": login, "ended": ended.len(), "client": client.flatten() });
        change.commit(actor, event.with(details)).await?;
        self.give_back(ended);
        self.server_login(actor, id).await
    }

    pub(crate) fn installation(&self) -> Installation {
        let installation = Installation::at(&self.parts().public_url);
        if self.parts().client_metadata { installation } else { installation.unread() }
    }

    pub(crate) fn keeper(&self) -> Keeper {
        let parts = self.parts();
        Keeper {
            storage: parts.storage.clone(),
            keyring: parts.keyring.clone(),
            egress: parts.egress.clone(),
            clock: parts.clock.clone(),
            entropy: parts.entropy.clone(),
            tasks: TaskTracker::new(),
        }
    }

    /// The token to look at a server with; none where there is none that can be used.
    pub(crate) async fn token_for_look(
        &self,
        actor: &Actor,
        server: &Server,
    ) -> Result<Option<HeaderValue>, Error> {
        let identity = match server.login {
            Login::Headers => return Ok(None),
            Login::Shared => String::new(),
            Login::Identity => {
                let connections = self.tenant(actor).await?.connections(server.id).await?;
                let newest = connections.into_iter().max_by_key(|row| row.connected_at);
                let Some(newest) = newest else { return Ok(None) };
                newest.identity
            }
        };
        match self.keeper().current(actor.tenant, server.id, &identity).await {
            Ok(token) => Ok(token.map(|token| token.header)),
            Err(RenewError::Ended(_) | RenewError::Refused(_) | RenewError::Gone | RenewError::Away(_)) => {
                Ok(None)
            }
        }
    }
}

/// The identity as it is shown and logged; none: the organisation's.
fn for_whom(identity: &str) -> Option<&str> {
    (!identity.is_empty()).then_some(identity)
}

impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        Conflict::Connect(error.to_string()).into()
    }
}

impl Problems {
    /// Whose connection it is to be, where the server is logged in to like this.
    pub(crate) fn take_identity(&mut self, login: Login, typed: Option<&str>) -> Option<String> {
        match (login, typed.map(str::trim).filter(|typed| !typed.is_empty())) {
            (Login::Identity, Some(typed)) => {
                self.take("/identity", typed.parse::<domain::Identity>()).map(|identity| identity.to_string())
            }
            (Login::Identity, None) => {
                self.note("/identity", "must not be empty: each identity connects for itself here");
                None
            }
            (_, Some(_)) => {
                self.note("/identity", "must be empty: this server has one connection for all");
                None
            }
            (_, None) => Some(String::new()),
        }
    }
}
