//! Disconnecting: the tokens are forgotten here at once, and given back where that can be done.

use std::time::Duration;

use domain::{ConnectionId, Role, ServerId};
use oauth::Revocation;
use serde_json::json;

use super::for_whom;
use super::view::Disconnected;
use crate::change::Event;
use crate::{Actor, Control, Error};

/// How long an answer waits for the authorization server to take the tokens back. It is tried for longer.
const PATIENCE: Duration = Duration::from_secs(3);

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
        let mut tx = self.parts().storage.system().await?;
        let sealed = tx.sealed_connection(actor.tenant, connection).await?;
        tx.commit().await?;
        let mut change = self.change(actor).await?;
        let identity = change.delete_connection(id, connection).await?.ok_or(Error::NotFound)?;
        let event = Event::new("server.disconnect", id.uuid(), server.name);
        change.commit(actor, event.with(json!({ "identity": for_whom(&identity) }))).await?;
        let Some(sealed) = sealed else { return Ok(Revocation::NotOffered.into()) };
        let keeper = self.keeper();
        // Whoever waits for the answer may go away.
        let giving_back = tokio::spawn(async move { keeper.revoke(&sealed).await });
        let ended = tokio::time::timeout(PATIENCE, giving_back).await;
        Ok(ended.map_or(Revocation::Failed, |ended| ended.unwrap_or(Revocation::Failed)).into())
    }
}
