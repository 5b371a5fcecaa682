//! The config epoch: how a change of a tenant's servers, grants or policies reaches the very next call.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::TenantId;
use futures_util::{StreamExt as _, stream};
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::invocation::{Invocation, Text};
use crate::scripts::{MARK, PUBLISH};
use crate::{Ledger, LedgerError, Shard};

/// How long after its mark a change may still commit.
pub const COMMIT_WITHIN: Duration = Duration::from_secs(5);

/// A change that has announced itself.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    /// The change must have committed by then, or roll back.
    pub commit_by: Instant,
}

impl Ledger {
    /// Before a change commits: from now on no gateway uses what it remembers of this tenant.
    pub async fn mark(&self, tenant: TenantId, change: Uuid) -> Result<Marked, LedgerError> {
        // Counted from before the mark is sent, so that it stands at least as long as Redis thinks.
        let commit_by = Instant::now() + COMMIT_WITHIN;
        let mut call = Invocation::new(&MARK, 1);
        call.arg(self.keys().pending(tenant)).arg(self.given_time()).arg(name(change));
        self.send::<i64>(Shard::of(tenant), &call).await?;
        Ok(Marked { commit_by })
    }

    /// After the change has committed and before it is answered: `epoch` is the `config_epoch` it wrote. May be
    /// repeated.
    pub async fn publish(&self, tenant: TenantId, change: Uuid, epoch: u64) -> Result<(), LedgerError> {
        let mut call = Invocation::new(&PUBLISH, 2);
        call.arg(self.keys().epoch(tenant))
            .arg(self.keys().pending(tenant))
            .arg(self.given_time())
            .arg(name(change))
            .arg(epoch);
        self.send::<i64>(Shard::of(tenant), &call).await?;
        Ok(())
    }

    /// The epoch as far as Redis knows it; nothing where no change was published for a day, or Redis has forgotten it.
    pub async fn epoch(&self, tenant: TenantId) -> Result<Option<u64>, LedgerError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys().epoch(tenant));
        let stored: Option<String> = self.send(Shard::of(tenant), &command).await?;
        // What is no number says since when Redis does not know.
        Ok(stored.and_then(|epoch| epoch.parse().ok()))
    }

    /// As [`Ledger::epoch`] for many tenants, in their order; nothing, too, where their Redis is away.
    pub async fn epochs(&self, tenants: &[TenantId]) -> Vec<Option<u64>> {
        let mut shards: BTreeMap<Shard, Vec<usize>> = BTreeMap::new();
        for (place, tenant) in tenants.iter().enumerate() {
            shards.entry(Shard::of(*tenant)).or_default().push(place);
        }
        let mut epochs = vec![None; tenants.len()];
        let mut reads = stream::iter(shards)
            .map(async |(shard, places)| {
                let mut command = redis::cmd("MGET");
                for place in &places {
                    command.arg(self.keys().epoch(tenants[*place]));
                }
                (places, self.send::<Vec<Option<String>>>(shard, &command).await)
            })
            // A few at once, so that no call waits behind all of them.
            .buffer_unordered(4);
        while let Some((places, stored)) = reads.next().await {
            for (place, epoch) in places.into_iter().zip(stored.into_iter().flatten()) {
                epochs[place] = epoch.and_then(|epoch| epoch.parse().ok());
            }
        }
        epochs
    }

    /// After the change was certainly rolled back: takes its mark out. When it is not known whether a change
    /// committed, leave the mark alone.
    pub async fn withdraw(&self, tenant: TenantId, change: Uuid) -> Result<(), LedgerError> {
        let mut command = redis::cmd("ZREM");
        command.arg(self.keys().pending(tenant)).arg(name(change));
        self.send::<i64>(Shard::of(tenant), &command).await?;
        Ok(())
    }
}

fn name(change: Uuid) -> Text<Simple> {
    Text(change.simple())
}
