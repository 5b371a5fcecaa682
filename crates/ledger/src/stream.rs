//! Reading the decision stream: leases, batches, acknowledgement.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::TenantId;
use uuid::Uuid;

use crate::{Ledger, LedgerError, Shard};

/// Redis' name of an entry; later entries of a stream have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    pub(crate) millis: u64,
    pub(crate) sequence: u64,
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.sequence)
    }
}

/// What the script found out about one limit, beside the record. Amounts are millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitMark {
    /// The place of the charge in the settled list.
    pub index: usize,
    /// Counted.
    pub used: u64,
    /// The most that may be counted.
    pub max: u64,
    /// As in [`Level`](crate::Level).
    pub resets_at: DateTime<Utc>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A decision.
    Decision {
        /// The limit that refused it; else the one of those taken that has the least left.
        limit: Option<LimitMark>,
        /// Whether `limit` refused the call.
        over: bool,
        /// The shadow limit that would have refused it.
        shadow: Option<LimitMark>,
    },
    /// The end of a call.
    Closing {
        /// Whether quota was given back.
        gave_back: bool,
    },
}

/// One entry of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands.
    pub id: EntryId,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it says.
    pub kind: EntryKind,
    /// The bytes that were given to the operation that wrote it.
    pub record: Vec<u8>,
}

impl Ledger {
    /// The shards with unread entries, and how many.
    pub async fn backlog(&self) -> Result<Vec<(Shard, u64)>, LedgerError> {
        unimplemented!()
    }

    /// Takes or renews the right to read a shard. `false`: another holder has it.
    pub async fn lease(&self, shard: Shard, holder: Uuid, ttl: Duration) -> Result<bool, LedgerError> {
        let _ = (shard, holder, ttl);
        unimplemented!()
    }

    /// Gives the right back, if this holder has it.
    pub async fn release(&self, shard: Shard, holder: Uuid) -> Result<(), LedgerError> {
        let _ = (shard, holder);
        unimplemented!()
    }

    /// The oldest `count` entries that nobody has acknowledged.
    pub async fn read(&self, shard: Shard, count: usize) -> Result<Vec<Entry>, LedgerError> {
        let _ = (shard, count);
        unimplemented!()
    }

    /// Drops everything up to and with `last`, once it is safe elsewhere.
    pub async fn acknowledge(&self, shard: Shard, last: EntryId) -> Result<(), LedgerError> {
        let _ = (shard, last);
        unimplemented!()
    }
}
