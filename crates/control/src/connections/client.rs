//! This installation as a client of an upstream's authorization server: as the operator typed it, sealed, and opened again.

use domain::{Secret, ServerId, UpstreamUrl};
use oauth::{AuthorizationServer, Client, ClientAuth};
use storage::UpstreamClientRow;
use vault::Place;

use super::input::NewUpstreamClient;
use crate::{Actor, Control, Error, Server};

impl Control {
    /// A client as it was typed: its issuer is the one that the server names now. None: it is to be forgotten.
    pub(super) async fn typed_client(
        &self,
        actor: &Actor,
        server: &Server,
        typed: &NewUpstreamClient,
    ) -> Result<Option<UpstreamClientRow>, Error> {
        let Some((id, secret)) = typed.read()? else { return Ok(None) };
        let key_id = typed.key_id()?;
        let chosen = typed.client_auth.map(ClientAuth::from);
        let url: UpstreamUrl = server.upstream_url.parse().map_err(Error::internal)?;
        let found = self.discover(&url, &[]).await;
        let discovery =
            found.map_err(|error| Error::field("/client/client_id", format!("can't be stored: {error}")))?;
        let client = Client::by_hand(id, secret, chosen, &discovery.server).map_err(|error| {
            let field = if error == oauth::Error::UnfitKey { "private_key" } else { "client_secret" };
            Error::field(&format!("/client/{field}"), error)
        })?;
        let client = Client { key_id: key_id.or(client.key_id), ..client };
        self.client_row(actor, server.id, &discovery.server, &client, true).map(Some)
    }

    pub(super) fn client_row(
        &self,
        actor: &Actor,
        server: ServerId,
        at: &AuthorizationServer,
        client: &Client,
        by_hand: bool,
    ) -> Result<UpstreamClientRow, Error> {
        let place = Place::UpstreamClient { tenant: actor.tenant, server, issuer: &at.issuer };
        let seal = |secret: &Secret<String>| {
            self.parts().keyring.seal(secret.expose().as_bytes(), place, &self.parts().entropy)
        };
        Ok(UpstreamClientRow {
            issuer: at.issuer.clone(),
            client_id: client.id.clone(),
            sealed_secret: client.secret.as_ref().map(seal).transpose()?,
            auth: client.auth.as_str().to_owned(),
            public_key: client.public_key(),
            by_hand,
            redirect_uri: self.installation().redirect_uri,
            created_at: self.now(),
        })
    }

    pub(super) fn open_client(
        &self,
        actor: &Actor,
        server: ServerId,
        row: &UpstreamClientRow,
    ) -> Result<Client, Error> {
        let place = Place::UpstreamClient { tenant: actor.tenant, server, issuer: &row.issuer };
        let secret = row.sealed_secret.as_ref().map(|sealed| {
            let opened = self.parts().keyring.open(sealed, place)?;
            let text = std::str::from_utf8(opened.expose()).map_err(Error::internal)?;
            Ok::<_, Error>(Secret::new(text.to_owned()))
        });
        let key_id = row.public_key.as_ref().and_then(|key| key["kid"].as_str());
        Ok(Client {
            id: row.client_id.clone(),
            secret: secret.transpose()?,
            auth: ClientAuth::read(&row.auth)
                .ok_or_else(|| Error::internal("unknown client authentication"))?,
            key_id: key_id.map(str::to_owned),
        })
    }
}
