//! A change, its entry in the admin log, and how the next call comes to know of it.
//!
//! INVARIANT: whatever judges calls is changed through a [`Change`] alone: begin, mark, write, commit with a raised
//! epoch, publish. When the ledger is away nothing is written. When it goes away after the commit, the mark still makes
//! every gateway read anew, so what was answered is obeyed.

use std::ops::{Deref, DerefMut};

use domain::TenantId;
use ledger::Ledger;
use serde_json::Value;
use storage::{AdminEventRow, ChangeTx, TenantTx};
use uuid::Uuid;

use crate::{Actor, Control, Error, Service, Who};

/// What an actor did, for the admin log.
#[derive(Debug)]
pub(crate) struct Event {
    /// `grant.revoke`, ...
    pub(crate) action: &'static str,
    /// What was changed.
    pub(crate) subject: Uuid,
    /// As it is called.
    pub(crate) label: String,
    /// What else there is to say. Never a secret.
    pub(crate) details: Value,
}

impl Event {
    pub(crate) fn new(action: &'static str, subject: Uuid, label: impl Into<String>) -> Self {
        Self { action, subject, label: label.into(), details: Value::Object(serde_json::Map::new()) }
    }

    pub(crate) fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}

/// A change under way of what a tenant's calls are judged by. Dropped, it is rolled back and its mark taken out.
#[derive(Debug)]
pub(crate) struct Change {
    tx: ChangeTx,
    control: Control,
    mark: Mark,
}

/// A mark in the ledger. Taken out when dropped, unless the change may have been committed.
#[derive(Debug)]
struct Mark {
    ledger: Ledger,
    tenant: TenantId,
    change: Uuid,
    standing: bool,
}

impl Drop for Mark {
    fn drop(&mut self) {
        if !self.standing {
            return;
        }
        let (ledger, tenant, change) = (self.ledger.clone(), self.tenant, self.change);
        // Left standing it would only make calls slower, for ten seconds.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { ledger.withdraw(tenant, change).await });
        }
    }
}

impl Deref for Change {
    type Target = TenantTx;

    fn deref(&self) -> &TenantTx {
        &self.tx
    }
}

impl DerefMut for Change {
    fn deref_mut(&mut self) -> &mut TenantTx {
        &mut self.tx
    }
}

impl Control {
    /// A transaction of the actor's organisation, for reading, or for writing what judges no call.
    pub(crate) async fn tenant(&self, actor: &Actor) -> Result<TenantTx, Error> {
        Ok(self.parts().storage.tenant(actor.tenant).await?)
    }

    /// Begins a change of what the organisation's calls are judged by. All that takes long (hashing, looking at upstreams)
    /// is done before: there are five seconds from here.
    pub(crate) async fn change(&self, actor: &Actor) -> Result<Change, Error> {
        let tx = self.parts().storage.change(actor.tenant).await?;
        let change = self.id();
        let ledger = self.parts().ledger.clone();
        let mut mark = Mark { ledger, tenant: actor.tenant, change, standing: true };
        if let Err(error) = mark.ledger.mark(actor.tenant, change).await {
            // Whether it was set is unknown. It would run out by itself; an away ledger is not asked again.
            mark.standing = false;
            tracing::warn!(%error, "no change can be made while the ledger is away");
            return Err(Error::Unavailable(Service::Ledger));
        }
        Ok(Change { tx, control: self.clone(), mark })
    }

    /// Writes a change that judges no call into the admin log and commits it.
    pub(crate) async fn commit(&self, mut tx: TenantTx, actor: &Actor, event: Event) -> Result<(), Error> {
        tx.insert_event(&self.event_row(actor, event)).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) fn event_row(&self, actor: &Actor, event: Event) -> AdminEventRow {
        let (kind, id) = match &actor.who {
            Who::User { id, .. } => ("user", id.uuid()),
            Who::Key { id, .. } => ("key", id.uuid()),
            Who::Link { id, .. } => ("link", id.uuid()),
        };
        AdminEventRow {
            id: self.id(),
            at: self.now(),
            actor_kind: kind.to_owned(),
            actor_id: id,
            actor_label: actor.label(),
            action: event.action.to_owned(),
            subject_id: event.subject,
            subject_label: event.label,
            details: event.details,
        }
    }
}

impl Change {
    /// Writes the change into the admin log, commits it with a raised epoch, and tells the ledger. From its return on, on
    /// every gateway, calls are judged by the new state.
    pub(crate) async fn commit(mut self, actor: &Actor, event: Event) -> Result<(), Error> {
        let row = self.control.event_row(actor, event);
        self.tx.insert_event(&row).await?;
        let epoch = self.tx.raise_epoch().await?;
        // From here it may be committed without our knowing: the mark must stand until it runs out.
        self.mark.standing = false;
        if let Err(error) = self.tx.commit().await {
            // Refused by the database itself, so certainly not committed.
            self.mark.standing = !matches!(error, storage::Error::Away(_));
            return Err(error.into());
        }
        let Mark { ledger, tenant, change, .. } = &self.mark;
        if let Err(error) = ledger.publish(*tenant, *change, epoch).await {
            tracing::warn!(%error, "a change was not published: calls are slower until its mark runs out");
        }
        Ok(())
    }
}
