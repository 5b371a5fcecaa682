//! Pinned tools in lists that pass: what is listed otherwise than it was approved is not shown, and loses its approval before the
//! client has the list, so that no gateway lets it be called.

use domain::TenantId;
use mcp::{Draft, Unreadable};
use serde_json::json;
use storage::AdminEventRow;
use uuid::Uuid;

use crate::directory::GrantView;
use crate::state::GatewayState;

const UNWRITTEN: Unreadable = Unreadable("tools in it have changed, which can't be written down now");

/// The tools in a message that are not listed as they were approved. None of them is approved any more when this returns.
pub(crate) async fn redefined(
    gateway: &GatewayState,
    view: &GrantView,
    draft: &Draft<'_>,
) -> Result<Vec<String>, Unreadable> {
    if !view.target.pins_tools {
        return Ok(Vec::new());
    }
    let redefined = draft.tools().filter(|(name, tool)| view.redefined(name, tool));
    let redefined: Vec<String> = redefined.map(|(name, _)| name.to_owned()).collect();
    if !redefined.is_empty() {
        tracing::warn!(server = %view.server, tools = ?redefined, "tools are not listed as they were approved");
        let change = Uuid::from_bytes(gateway.parts.entropy.bytes());
        Box::pin(withdraw(gateway, view, &redefined, change)).await.map_err(|error| {
            tracing::warn!(server = %view.server, %error, "an approval could not be taken back");
            UNWRITTEN
        })?;
    }
    Ok(redefined)
}

/// What stands in the way of a change.
#[derive(Debug, thiserror::Error)]
enum Unchanged {
    #[error(transparent)]
    Storage(#[from] storage::Error),
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
}

/// A change of what calls are judged by: marked, committed with a raised epoch, published.
async fn withdraw(
    gateway: &GatewayState,
    view: &GrantView,
    names: &[String],
    change: Uuid,
) -> Result<(), Unchanged> {
    let (storage, tenant) = (&gateway.parts.storage, view.tenant);
    let mut tx = storage.change(tenant).await?;
    gateway.parts.ledger.mark(tenant, change).await?;
    let withdrawn = tx.withdraw_approval(view.server, names, view.epoch).await?;
    if withdrawn.is_empty() {
        // Somebody else was here first, or the configuration is another by now.
        give_up(gateway, tenant, change).await;
        return Ok(());
    }
    tx.insert_event(&event(gateway, view, &withdrawn)).await?;
    let epoch = tx.raise_epoch().await?;
    tx.commit().await?;
    if let Err(error) = gateway.parts.ledger.publish(tenant, change, epoch).await {
        tracing::warn!(%error, "a change was not published: calls are slower until its mark runs out");
    }
    Ok(())
}

/// What the admin log says of it: nobody did it, so it is the gateway's own.
fn event(gateway: &GatewayState, view: &GrantView, withdrawn: &[String]) -> AdminEventRow {
    let at = gateway.parts.clock.now();
    AdminEventRow {
        id: gateway.parts.entropy.id(at),
        at,
        actor_kind: "gateway".to_owned(),
        actor_id: view.grant.uuid(),
        actor_label: "gateway".to_owned(),
        action: "server.withdraw_approval".to_owned(),
        subject_id: view.server.uuid(),
        subject_label: view.target.name.clone(),
        details: json!({ "tools": withdrawn, "listed_for": view.label }),
    }
}

/// Takes the mark out of a change that was none. Left standing, it would only make calls slower for a while.
async fn give_up(gateway: &GatewayState, tenant: TenantId, change: Uuid) {
    if let Err(error) = gateway.parts.ledger.withdraw(tenant, change).await {
        tracing::debug!(%error, "a mark runs out by itself");
    }
}
