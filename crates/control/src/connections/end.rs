//! The end of connections: the tokens are forgotten here at once, and given back where that can be done. When somebody disconnects,
//! and whenever a change leaves no use for them.

use std::time::Duration;

use domain::{ConnectionId, Role, ServerId, UpstreamUrl};
use futures_util::{StreamExt, stream};
use oauth::Revocation;
use serde_json::json;
use storage::{SealedConnection, TenantTx};

use super::for_whom;
use super::view::{Disconnected, Login};
use crate::change::Event;
use crate::{Actor, Control, Error};

/// How long an answer waits for the authorization server to take the tokens back. It is tried for longer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Connections that are given back at a time, of those that one change ended.
const AT_ONCE: usize = 4;

impl Control {
    /// Ends a connection: the tokens are forgotten, and the next call is made without. Then the authorization server is
    /// asked to end them too; whatever becomes of that, the connection is ended. Needs `admin`.
    pub async fn disconnect(
        &self,
        actor: &Actor,
        id: ServerId,
        connection: ConnectionId,
    ) -> Result<Disconnected, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let mut change = self.change(actor).await?;
        let sealed =
            change.delete_connections(id, Some(&[connection])).await?.pop().ok_or(Error::NotFound)?;
        let event = Event::new("server.disconnect", id.uuid(), server.name);
        change.commit(actor, event.with(json!({ "identity": for_whom(&sealed.identity) }))).await?;
        let keeper = self.keeper();
        // Whoever waits for the answer may go away.
        let giving_back = tokio::spawn(async move { keeper.revoke(&sealed).await });
        let ended = tokio::time::timeout(PATIENCE, giving_back).await;
        Ok(ended.map_or(Revocation::Failed, |ended| ended.unwrap_or(Revocation::Failed)).into())
    }

    /// Gives the tokens of connections back that a change has ended. Nobody waits for it, for the change has happened; what
    /// could not be given back is in the log of the process.
    pub(crate) fn give_back(&self, ended: Vec<SealedConnection>) {
        if ended.is_empty() {
            return;
        }
        let keeper = self.keeper();
        tokio::spawn(async move {
            let giving_back = stream::iter(&ended).for_each_concurrent(AT_ONCE, async |sealed| {
                keeper.revoke(sealed).await;
            });
            giving_back.await;
        });
    }
}

/// Ends the connections that do not fit how a server is logged in to now.
pub(super) async fn others(
    tx: &mut TenantTx,
    server: ServerId,
    login: Login,
) -> Result<Vec<SealedConnection>, Error> {
    let fits = |identity: &str| match login {
        Login::Headers => false,
        Login::Shared => identity.is_empty(),
        Login::Identity => !identity.is_empty(),
    };
    let known = tx.connections(server).await?;
    let unfit: Vec<_> = known.iter().filter(|row| !fits(&row.identity)).map(|row| row.id).collect();
    Ok(tx.delete_connections(server, Some(&unfit)).await?)
}

/// Ends what belongs to an address that a server does not have any more.
pub(crate) async fn foreign(
    tx: &mut TenantTx,
    server: ServerId,
    url: &UpstreamUrl,
) -> Result<Vec<SealedConnection>, Error> {
    let mut foreign = Vec::new();
    for row in tx.connections(server).await?.iter().filter(|row| !oauth::covers(&row.resource, url)) {
        tx.delete_upstream_clients(server, Some(&row.issuer)).await?;
        foreign.push(row.id);
    }
    Ok(tx.delete_connections(server, Some(&foreign)).await?)
}
