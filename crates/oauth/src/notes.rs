//! What is written down of a connection in use, for the people who look after it.

use domain::{ConnectionId, TenantId};

use crate::keeper::Keeper;
use crate::scope::Scopes;

impl Keeper {
    /// Writes down that the upstream refuses a token that has not ended.
    pub async fn note_refusal(&self, tenant: TenantId, id: ConnectionId, seen: i64, trouble: &str) {
        let noting = async {
            let mut tx = self.storage.system().await?;
            tx.note_trouble(tenant, id, seen, trouble).await?;
            tx.commit().await
        };
        if let Err(error) = noting.await {
            tracing::warn!(%error, "the trouble of a connection is not written down");
        }
    }

    /// Takes back what was written down of a refused token: the upstream lets it in again.
    pub async fn note_let_in(&self, tenant: TenantId, id: ConnectionId, seen: i64, trouble: &str) {
        let noting = async {
            let mut tx = self.storage.system().await?;
            tx.clear_trouble(tenant, id, seen, trouble).await?;
            tx.commit().await
        };
        if let Err(error) = noting.await {
            tracing::warn!(%error, "the trouble of a connection is not taken back");
        }
    }

    /// Writes down what the upstream asks for beyond the scopes that there are.
    pub async fn note_wanted_scopes(&self, tenant: TenantId, id: ConnectionId, scopes: &Scopes) {
        let noting = async {
            let mut tx = self.storage.system().await?;
            tx.note_wanted_scopes(tenant, id, &scopes.to_string()).await?;
            tx.commit().await
        };
        if let Err(error) = noting.await {
            tracing::warn!(%error, "the scopes that an upstream wants are not written down");
        }
    }
}
