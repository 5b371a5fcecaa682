//! Links by which somebody connects a server who need not be able to log in here: the owner of an identity, or whoever
//! may log in to the upstream. Whoever holds the link may use it, once.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{ConnectLinkId, Role, Secret, ServerId, TenantId};
use serde::Serialize;
use serde_json::json;
use storage::{ConnectLinkRow, NewConnectLinkRow};
use utoipa::ToSchema;
use vault::{Token, TokenKind};

use super::begin::{Departing, Departure};
use super::for_whom;
use super::input::NewConnectLink;
use crate::change::Event;
use crate::input::Problems;
use crate::{Actor, Control, Error, Who};

/// A link works so long.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// A link that was just made. It is shown once.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConnectLink {
    /// What to send: the page at which its reader connects.
    #[schema(example = "https://tollgate.example.com/connect/tg_connect_...")]
    pub url: String,
    /// Whose connection it makes; none: the whole organisation's.
    pub identity: Option<String>,
    /// It does not work from then on, nor after it was used.
    pub expires_at: DateTime<Utc>,
}

/// What the page of a link says.
#[derive(Clone, Debug)]
pub struct ConnectPage {
    /// Who asks.
    pub organisation: String,
    /// The server that is connected.
    pub server_name: String,
    /// Its host.
    pub host: String,
    /// For whom; none: the whole organisation.
    pub identity: Option<String>,
    /// Who made the link.
    pub created_by: String,
    /// It does not work from then on.
    pub expires_at: DateTime<Utc>,
}

impl Actor {
    /// Whoever came by a link. It may nothing but what the link is for.
    pub(crate) fn link(tenant: TenantId, id: ConnectLinkId, identity: &str) -> Self {
        let label = for_whom(identity).unwrap_or("the organisation").to_owned();
        Self { tenant, role: Role::Viewer, who: Who::Link { id, label } }
    }
}

impl Control {
    /// Makes a link. Needs `admin`.
    pub async fn make_connect_link(
        &self,
        actor: &Actor,
        id: ServerId,
        input: &NewConnectLink,
    ) -> Result<ConnectLink, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let mut problems = Problems::new();
        let identity = problems.take_identity(server.login, input.identity.as_deref());
        let Some(identity) = identity else { return Err(problems.into()) };
        let token = Token::generate(TokenKind::Connect, &self.parts().entropy);
        let (link, now) = (self.id(), self.now());
        let expires_at = now + LIFETIME;
        let mut tx = self.tenant(actor).await?;
        tx.sweep_authorizations(id, now).await?;
        tx.insert_connect_link(&NewConnectLinkRow {
            id: link,
            server: id,
            identity: &identity,
            token_hash: token.hash(),
            created_by: &actor.label(),
            created_at: now,
            expires_at,
        })
        .await?;
        let event = Event::new("server.connect_link", id.uuid(), server.name);
        let details = json!({ "identity": for_whom(&identity), "expires_at": expires_at });
        self.commit(tx, actor, event.with(details)).await?;
        Ok(ConnectLink {
            url: format!("{}/connect/{}", self.parts().public_url, token.expose()),
            identity: for_whom(&identity).map(str::to_owned),
            expires_at,
        })
    }

    /// What the page of a link says; [`Error::NotFound`] where it does not work.
    pub async fn connect_page(&self, token: &Secret<String>) -> Result<ConnectPage, Error> {
        let row = self.link(token).await?;
        let actor = Actor::link(row.tenant, row.id, &row.identity);
        let server = self.server(&actor, row.server).await?;
        let url: domain::UpstreamUrl = server.upstream_url.parse().map_err(Error::internal)?;
        Ok(ConnectPage {
            organisation: self.organisation(&actor).await?.name,
            server_name: server.name,
            host: url.url().host_str().unwrap_or_default().to_owned(),
            identity: for_whom(&row.identity).map(str::to_owned),
            created_by: row.created_by,
            expires_at: row.expires_at,
        })
    }

    /// Begins to connect by a link, for the browser that holds the secret `browser`.
    pub async fn begin_connect_by_link(
        &self,
        token: &Secret<String>,
        browser: &str,
    ) -> Result<Departure, Error> {
        let row = self.link(token).await?;
        let actor = Actor::link(row.tenant, row.id, &row.identity);
        let server = self.server(&actor, row.server).await?;
        let mut problems = Problems::new();
        // The login may have been changed since the link was made.
        if problems.take_identity(server.login, for_whom(&row.identity)).is_none() {
            return Err(Error::NotFound);
        }
        self.depart(&actor, &server, &row.identity, Departing::Link(row.id), browser).await
    }

    async fn link(&self, token: &Secret<String>) -> Result<ConnectLinkRow, Error> {
        let token = Token::parse(TokenKind::Connect, token.expose()).map_err(|_| Error::NotFound)?;
        let row = self.parts().storage.system().await?.connect_link(&token.hash()).await?;
        row.filter(|row| row.expires_at > self.now()).ok_or(Error::NotFound)
    }
}
