//! Connecting without a person: the client that was registered by hand gets a token of its own (the protocol's extension for
//! client credentials).

use chrono::TimeDelta;
use domain::{ConnectionId, Role, ServerId, UpstreamUrl};
use oauth::{Client, ClientAuth, Discovery, Granted, Scopes};
use serde_json::json;
use storage::NewConnectionRow;
use vault::Place;

use super::view::{Login, ServerLogin};
use crate::change::Event;
use crate::{Actor, Conflict, Control, Error, Server};

impl Control {
    /// Connects a server for everybody with a token of the stored client's own. Needs `admin`.
    pub async fn connect_as_client(&self, actor: &Actor, id: ServerId) -> Result<ServerLogin, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        if server.login == Login::Identity {
            return Err(no(
                "each identity connects its own account here: choose one account for everybody first",
            ));
        }
        let url: UpstreamUrl = server.upstream_url.parse().map_err(Error::internal)?;
        let known = self.tenant(actor).await?.upstream_clients(id).await?;
        let by_hand: Vec<_> = known.iter().filter(|row| row.by_hand).collect();
        let issuers: Vec<_> = by_hand.iter().map(|row| row.issuer.clone()).collect();
        let discovery = self.discover(&url, &issuers).await?;
        let row = by_hand.into_iter().find(|row| row.issuer == discovery.server.issuer);
        let row = row.ok_or_else(|| {
            no("only a client that was registered by hand gets a token of its own: store its id and secret first")
        })?;
        let client = self.open_client(actor, id, row)?;
        if client.auth == ClientAuth::None {
            return Err(no(
                "a client without a secret gets no token of its own: store its secret or private key",
            ));
        }
        let scopes = self.scopes(actor, id, "", &discovery).await?.online();
        let desk = self.keeper();
        let granted = oauth::ask_as_client(desk.desk(), &discovery, &scopes, &client).await?;
        self.store_own(actor, &server, &url, &Own { discovery, client, scopes, granted }).await?;
        self.server_login(actor, id).await
    }

    async fn store_own(
        &self,
        actor: &Actor,
        server: &Server,
        url: &UpstreamUrl,
        own: &Own,
    ) -> Result<(), Error> {
        let sight = self.look_connected(actor, server, url, &own.granted).await?;
        let (connection, issuer): (ConnectionId, _) = (self.id(), &own.discovery.server.issuer);
        let place =
            Place::Connection { tenant: actor.tenant, server: server.id, connection, identity: "", issuer };
        let sealed = self.keeper().seal_own(place, &own.discovery, &own.client, &own.scopes, &own.granted)?;
        let scopes = own.granted.scopes.as_ref().unwrap_or(&own.scopes).to_string();
        let at = self.now();
        let life = own.granted.expires_in.and_then(|life| TimeDelta::from_std(life).ok());
        let mut change = self.change(actor).await?;
        change.set_login(server.id, Login::Shared.as_str()).await?;
        change
            .insert_connection(&NewConnectionRow {
                id: connection,
                server: server.id,
                identity: "",
                issuer,
                resource: &own.discovery.resource,
                scopes: &scopes,
                sealed: &sealed,
                expires_at: life.map(|life| at + life),
                renewable: true,
                connected_by: &actor.label(),
                at,
            })
            .await?;
        self.note(&mut change, server.id, url, &sight).await?;
        let event = Event::new("server.connect", server.id.uuid(), server.name.clone());
        let details = json!({
            "identity": null, "issuer": issuer, "client_id": own.client.id, "scopes": scopes, "state": sight.state,
        });
        change.commit(actor, event.with(details)).await
    }
}

/// What was asked, and what came of it.
struct Own {
    discovery: Discovery,
    client: Client,
    scopes: Scopes,
    granted: Granted,
}

fn no(words: &str) -> Error {
    Conflict::Connect(words.to_owned()).into()
}
