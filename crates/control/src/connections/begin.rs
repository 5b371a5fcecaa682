//! Connecting, first half: finding out who issues a server's tokens, becoming a client there, and where to send the
//! person.

use chrono::TimeDelta;
use domain::{ConnectLinkId, Role, ServerId, UpstreamUrl, UserId};
use oauth::{Authorization, AuthorizationServer, Client, Discovery, Scopes};
use storage::AuthorizationRow;
use url::Url;
use vault::Place;

use super::view::Login;
use crate::input::Problems;
use crate::{Actor, Conflict, Control, Error, Server, Who};

/// An answer counts so long after the question.
const ANSWER: TimeDelta = TimeDelta::minutes(10);
/// Questions about one server that may be open at once.
const MOST_OPEN: i64 = 100;

/// Where to send a person who connects.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The authorization server's page.
    pub url: Url,
    /// Its host, to be shown before.
    pub host: String,
    /// What is asked for; empty: whatever the server gives by default.
    pub scopes: Vec<String>,
    /// The server that is connected.
    pub server: ServerId,
    /// Its name.
    pub server_name: String,
    /// For whom; none: the whole organisation.
    pub identity: Option<String>,
}

impl Control {
    /// Begins to connect a server, for the browser that holds the secret `browser`. Needs `admin`.
    pub async fn begin_connect(
        &self,
        actor: &Actor,
        id: ServerId,
        identity: Option<&str>,
        browser: &str,
    ) -> Result<Departure, Error> {
        actor.needs(Role::Admin)?;
        let Who::User { id: user, .. } = actor.who else { return Err(Error::PeopleOnly) };
        let server = self.server(actor, id).await?;
        let mut problems = Problems::new();
        let Some(identity) = problems.take_identity(server.login, identity) else {
            return Err(problems.into());
        };
        self.depart(actor, &server, &identity, Departing::User(user), browser).await
    }

    pub(super) async fn discover(
        &self,
        url: &UpstreamUrl,
        preferred: &[String],
    ) -> Result<Discovery, oauth::Error> {
        let egress = &self.parts().egress;
        let challenge = oauth::probe(egress, url).await?;
        oauth::discover(egress, url, challenge.as_ref(), preferred).await
    }

    pub(super) async fn depart(
        &self,
        actor: &Actor,
        server: &Server,
        identity: &str,
        who: Departing,
        browser: &str,
    ) -> Result<Departure, Error> {
        let url: UpstreamUrl = server.upstream_url.parse().map_err(Error::internal)?;
        let known = self.tenant(actor).await?.upstream_clients(server.id).await?;
        let by_hand = known.iter().filter(|row| row.by_hand).map(|row| row.issuer.clone());
        let discovery = self.discover(&url, &by_hand.collect::<Vec<_>>()).await?;
        let client = self.client_at(actor, server.id, &discovery.server).await?;
        let scopes = self.scopes(actor, server.id, identity, &discovery).await?;
        let redirect_uri = self.installation().redirect_uri;
        let entropy = &self.parts().entropy;
        let asked = Authorization::begin(&discovery, scopes, client, &redirect_uri, entropy);

        let state_hash = vault::sha256(asked.state.expose().as_bytes());
        let place = Place::Authorization { tenant: actor.tenant, server: server.id, state: &state_hash };
        let (user, link) = who.columns();
        let row = AuthorizationRow {
            tenant: actor.tenant,
            server: server.id,
            identity: identity.to_owned(),
            browser: vault::sha256(browser.as_bytes()),
            user,
            link,
            sealed: self.parts().keyring.seal(&asked.pending.to_bytes(), place, entropy)?,
            expires_at: self.now() + ANSWER,
        };
        let mut tx = self.tenant(actor).await?;
        if tx.sweep_authorizations(server.id, self.now()).await? >= MOST_OPEN {
            return Err(Conflict::Full { what: "connections begun and not finished", max: MOST_OPEN }.into());
        }
        tx.insert_authorization(&state_hash, &row).await?;
        tx.commit().await?;
        Ok(Departure {
            host: discovery.server.host().to_owned(),
            scopes: asked.pending.scopes.iter().map(str::to_owned).collect(),
            url: asked.url,
            server: server.id,
            server_name: server.name.clone(),
            identity: super::for_whom(identity).map(str::to_owned),
        })
    }

    /// Who this installation is there: registered by hand, known by its metadata, registered before, or registered now.
    async fn client_at(
        &self,
        actor: &Actor,
        server: ServerId,
        at: &AuthorizationServer,
    ) -> Result<Client, Error> {
        let installation = self.installation();
        let known = self.tenant(actor).await?.upstream_clients(server).await?;
        let here = known.iter().find(|row| row.issuer == at.issuer);
        if let Some(row) = here.filter(|row| row.by_hand) {
            return self.open_client(actor, server, row);
        }
        if let Some(client) = installation.client(at) {
            return Ok(client);
        }
        if let Some(row) = here.filter(|row| row.redirect_uri == installation.redirect_uri) {
            return self.open_client(actor, server, row);
        }
        let client =
            oauth::register(&self.parts().egress, at, &installation).await.map_err(|error| match error {
                oauth::Error::NeedsClient => Conflict::NeedsClient {
                    issuer: at.issuer.clone(),
                    redirect_uri: installation.redirect_uri.clone(),
                }
                .into(),
                other => Error::from(other),
            })?;
        let row = self.client_row(actor, server, at, &client, false)?;
        let mut tx = self.tenant(actor).await?;
        tx.upsert_upstream_client(server, &row).await?;
        tx.commit().await?;
        Ok(client)
    }

    /// What to ask for: what the server asks for now, and what it asked for when its token was not good enough.
    pub(super) async fn scopes(
        &self,
        actor: &Actor,
        server: ServerId,
        identity: &str,
        discovery: &Discovery,
    ) -> Result<Scopes, Error> {
        let connections = self.tenant(actor).await?.connections(server).await?;
        let before =
            connections.iter().find(|row| row.identity == identity && row.issuer == discovery.server.issuer);
        Ok(match before {
            Some(row) if !row.wanted_scopes.is_empty() => {
                let had = Scopes::read(&row.scopes).union(&Scopes::read(&row.wanted_scopes));
                had.union(&discovery.scopes)
            }
            _ => discovery.scopes.clone(),
        })
    }
}

/// Who is sent away.
#[derive(Clone, Copy, Debug)]
pub(super) enum Departing {
    User(UserId),
    Link(ConnectLinkId),
}

impl Departing {
    fn columns(self) -> (Option<UserId>, Option<ConnectLinkId>) {
        match self {
            Self::User(user) => (Some(user), None),
            Self::Link(link) => (None, Some(link)),
        }
    }
}

impl Login {
    /// What a server is logged in to by once it has a connection.
    pub(super) fn with_connection(self) -> Self {
        if self == Self::Headers { Self::Shared } else { self }
    }
}
