//! Connecting, second half: the answer is checked, its code redeemed, and the tokens stored.

use domain::{ConnectionId, Role, ServerId, UpstreamUrl};
use http::header::AUTHORIZATION;
use oauth::{Answer, Code, Granted, Pending};
use serde_json::json;
use storage::{AuthorizationRow, NewConnectionRow};
use vault::Place;

use super::for_whom;
use crate::change::Event;
use crate::probe::Sight;
use crate::servers::UpstreamHeader;
use crate::{Actor, Conflict, Control, Error, Server, ServerState, Session};

/// Somebody who came back connected.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The server.
    pub server: ServerId,
    /// Its name.
    pub server_name: String,
    /// Its organisation's part of the address, where the person belongs to it; none for who came by a link.
    pub organisation: Option<String>,
    /// For whom; none: the whole organisation.
    pub identity: Option<String>,
}

/// What is said of an answer that nobody waits for.
const UNEXPECTED: &str = "nobody waits for this answer: it came too late, for the second time, or in another browser. Connect again";

impl Control {
    /// Takes the answer of an authorization server: the query that the browser came back with. It counts once, and only
    /// in the browser that was sent away, which holds the secret `browser`; and, where a person was sent, for that person.
    pub async fn finish_connect(
        &self,
        session: Option<&Session>,
        browser: &str,
        query: &str,
    ) -> Result<Arrived, Error> {
        let answer = Answer::read(query);
        let unexpected = || Error::from(Conflict::Connect(UNEXPECTED.to_owned()));
        let state_hash = vault::sha256(answer.state().ok_or_else(unexpected)?.as_bytes());
        let mut tx = self.parts().storage.system().await?;
        let taken = tx.take_authorization(&state_hash, &vault::sha256(browser.as_bytes())).await?;
        tx.commit().await?;
        let row = taken.filter(|row| row.expires_at > self.now()).ok_or_else(unexpected)?;
        let (actor, organisation) = came_back(&row, session)?;

        let place = Place::Authorization { tenant: row.tenant, server: row.server, state: &state_hash };
        let opened = self.parts().keyring.open(&row.sealed, place)?;
        let pending = Pending::read(opened.expose())
            .ok_or_else(|| Error::internal("an authorization can't be read"))?;
        let server = self.server(&actor, row.server).await?;
        let url: UpstreamUrl = server.upstream_url.parse().map_err(Error::internal)?;
        if !oauth::covers(&pending.resource, &url) {
            let words = "the server's address was changed in the meantime: connect again";
            return Err(Conflict::Connect(words.to_owned()).into());
        }
        let code = answer.code(&pending)?;
        let granted = match oauth::redeem(self.keeper().desk(), &pending, code).await {
            Ok(granted) => granted,
            Err(error) => return Err(self.not_redeemed(&actor, &server, &pending, error).await),
        };
        let sight = self.look_connected(&actor, &server, &url, &granted).await?;
        self.store(&actor, &server, &row, &pending, &granted, &url, &sight).await?;
        Ok(Arrived {
            server: server.id,
            server_name: server.name,
            organisation,
            identity: for_whom(&row.identity).map(str::to_owned),
        })
    }

    /// A code was not redeemed. A client that the authorization server forgot is forgotten here too, so that the next
    /// attempt registers anew; one that was registered by hand stays until the operator mends it.
    async fn not_redeemed(
        &self,
        actor: &Actor,
        server: &Server,
        pending: &Pending,
        error: oauth::Error,
    ) -> Error {
        if error == oauth::Error::NoToken(Code::InvalidClient) {
            let forgetting = async {
                let mut tx = self.tenant(actor).await?;
                let known = tx.upstream_clients(server.id).await?;
                if known.iter().any(|row| row.issuer == pending.issuer && !row.by_hand) {
                    tx.delete_upstream_clients(server.id, Some(&pending.issuer)).await?;
                }
                Ok::<_, Error>(tx.commit().await?)
            };
            if let Err(error) = forgetting.await {
                tracing::warn!(%error, "a client that is not known any more stays stored");
            }
        }
        error.into()
    }

    /// A look at the server with the new token: what it can do is known at once.
    pub(super) async fn look_connected(
        &self,
        actor: &Actor,
        server: &Server,
        url: &UpstreamUrl,
        granted: &Granted,
    ) -> Result<Sight, Error> {
        let mut headers = self.stored_headers(actor, server.id).await?;
        headers.retain(|header| header.name != AUTHORIZATION);
        let value = format!("Bearer {}", granted.access.expose());
        let mut value = http::HeaderValue::try_from(value).map_err(Error::internal)?;
        value.set_sensitive(true);
        headers.push(UpstreamHeader { name: AUTHORIZATION, value });
        Ok(self.look(url, &headers).await.after_login())
    }

    #[expect(clippy::too_many_arguments, reason = "everything that the two halves brought together")]
    async fn store(
        &self,
        actor: &Actor,
        server: &Server,
        row: &AuthorizationRow,
        pending: &Pending,
        granted: &Granted,
        url: &UpstreamUrl,
        sight: &Sight,
    ) -> Result<(), Error> {
        let connection: ConnectionId = self.id();
        let place = Place::Connection {
            tenant: row.tenant,
            server: row.server,
            connection,
            identity: &row.identity,
            issuer: &pending.issuer,
        };
        let sealed = self.keeper().seal(place, pending, granted)?;
        let scopes = granted.scopes.as_ref().unwrap_or(&pending.scopes).to_string();
        let at = self.now();
        let mut change = self.change(actor).await?;
        if let Some(link) = row.link
            && !change.use_connect_link(link).await?
        {
            return Err(Conflict::Connect(UNEXPECTED.to_owned()).into());
        }
        change.set_login(server.id, server.login.with_connection().as_str()).await?;
        change
            .insert_connection(&NewConnectionRow {
                id: connection,
                server: server.id,
                identity: &row.identity,
                issuer: &pending.issuer,
                resource: &pending.resource,
                scopes: &scopes,
                sealed: &sealed,
                expires_at: granted.expires_in.map(|life| at + life),
                renewable: granted.refresh.is_some(),
                connected_by: &actor.label(),
                at,
            })
            .await?;
        // One identity's trouble is not the server's.
        if row.identity.is_empty() || sight.state == ServerState::Ready {
            self.note(&mut change, server.id, url, sight).await?;
        }
        let event = Event::new("server.connect", server.id.uuid(), server.name.clone());
        let details = json!({
            "identity": for_whom(&row.identity), "issuer": pending.issuer, "scopes": scopes, "state": sight.state,
        });
        change.commit(actor, event.with(details)).await
    }
}

/// Who came back: the person who was sent away, still allowed to, or whoever holds the link.
fn came_back(row: &AuthorizationRow, session: Option<&Session>) -> Result<(Actor, Option<String>), Error> {
    if let Some(link) = row.link {
        return Ok((Actor::link(row.tenant, link, &row.identity), None));
    }
    let session = session.filter(|session| Some(session.user) == row.user).ok_or(Error::Unauthenticated)?;
    let membership = session.organisations.iter().find(|membership| membership.tenant == row.tenant);
    let membership = membership.ok_or(Error::NotFound)?;
    let actor = session.acting(membership.tenant, membership.role);
    actor.needs(Role::Admin)?;
    Ok((actor, Some(membership.slug.to_string())))
}
