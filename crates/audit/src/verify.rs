//! Walking the chain: is every row of a tenant as it was written, and is every row that was written there?

mod statements;

use std::fmt;

use domain::{DecisionId, TenantId};
use storage::{Storage, TenantTx};
use uuid::Uuid;

pub use self::statements::tenants;
use self::statements::{self as sql, StoredBatch, StoredHead};
use crate::Error;
use crate::chain::{self, BEGINNING, Entry, Hash, Part};
use crate::stored::Stored;

/// What walking the chain showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Batches that follow from each other.
    pub batches: u64,
    /// Rows that are as they were written.
    pub rows: u64,
    /// The hash of the last batch, in hexadecimal: whoever keeps it elsewhere can tell if the whole chain is replaced.
    pub head: String,
    /// The first thing that is wrong, if any; what comes after it was not looked at.
    pub fault: Option<Fault>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This row is not as it was written.
    Changed(DecisionId),
    /// This row was written and is not there.
    Removed(DecisionId),
    /// This row is there and was never written.
    SlippedIn(DecisionId),
    /// The batch of this number is missing or is not as it was written.
    Batch(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(id) => write!(f, "decision {id} was changed after it was written"),
            Self::Removed(id) => write!(f, "decision {id} was removed"),
            Self::SlippedIn(id) => write!(f, "decision {id} was slipped in"),
            Self::Batch(number) => write!(f, "batch {number} of the chain was removed or changed"),
        }
    }
}

/// Walks a tenant's chain from the oldest batch that is kept to the newest. What is written meanwhile may be left out.
pub async fn verify(storage: &Storage, tenant: TenantId) -> Result<Verified, Error> {
    let mut walk = Walk { batches: 0, rows: 0, first: None, last: (0, BEGINNING) };
    let fault = loop {
        let mut tx = storage.tenant(tenant).await?;
        let step = walk.step(&mut tx).await?;
        tx.commit().await?;
        match step {
            Step::More => {}
            Step::Fault(fault) => break Some(fault),
            Step::End => break None,
        }
    };
    let head = walk.last.1.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Ok(Verified { batches: walk.batches, rows: walk.rows, head, fault })
}

/// How far the walk has come.
struct Walk {
    batches: u64,
    rows: u64,
    /// The number of the oldest batch that is kept.
    first: Option<i64>,
    /// Number and hash of the last batch that was right.
    last: (i64, Hash),
}

enum Step {
    More,
    Fault(Fault),
    End,
}

impl Walk {
    async fn step(&mut self, tx: &mut TenantTx) -> Result<Step, Error> {
        let tenant = tx.tenant().uuid();
        let Some(head) = sql::head(tx).await? else { return Ok(Step::End) };
        let batches = sql::batches_behind(tx, self.last.0).await?;
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return self.end(tx, &head).await;
        };
        let mut rows = sql::rows_of(tx, first.number, last.number).await?;
        for batch in &batches {
            let Some(entries) = self.link(tenant, batch, head.kept_from.is_some()) else {
                return Ok(Step::Fault(Fault::Batch(batch.number)));
            };
            let kept =
                entries.iter().filter(|entry| head.kept_from.is_none_or(|from| entry.decided_at >= from));
            for entry in kept {
                let fault = match rows.get_mut(&(entry.decided_at, entry.id)) {
                    Some(row) => self.compare(batch.number, entry, row)?,
                    None if sql::exists(tx, entry).await? => Some(Fault::Changed(entry.id.into())),
                    None => Some(Fault::Removed(entry.id.into())),
                };
                if let Some(fault) = fault {
                    return Ok(Step::Fault(fault));
                }
            }
            let mut kept =
                rows.values().filter(|row| head.kept_from.is_none_or(|from| row.stored.decided_at >= from));
            if let Some(fault) = kept.find_map(|row| row.unaccounted(batch.number)) {
                return Ok(Step::Fault(fault));
            }
        }
        Ok(Step::More)
    }

    /// The entries of a batch, if it follows from the last.
    fn link(&mut self, tenant: Uuid, batch: &StoredBatch, some_dropped: bool) -> Option<Vec<Entry>> {
        let previous: Hash = batch.previous.as_slice().try_into().ok()?;
        // Batches before the first that is kept were dropped with their rows: it is taken as the beginning.
        let begins_anew = self.first.is_none() && some_dropped;
        if !begins_anew && (batch.number, previous) != (self.last.0 + 1, self.last.1) {
            return None;
        }
        let hash = chain::link(tenant, batch.number, &previous, &batch.entries);
        if batch.hash != hash {
            return None;
        }
        self.first.get_or_insert(batch.number);
        self.last = (batch.number, hash);
        self.batches += 1;
        chain::decode(&batch.entries)
    }

    /// Compares what a batch says of a row with the row.
    fn compare(&mut self, batch: i64, entry: &Entry, row: &mut Checked) -> Result<Option<Fault>, Error> {
        let ending = row.stored.ending_bytes()?;
        let content = match entry.part {
            // A row without an ending has nothing of one.
            Part::Decision if row.stored.closed_batch.is_none() && ending.is_some() => None,
            Part::Decision if row.stored.batch == batch => {
                row.decision_seen = true;
                self.rows += 1;
                Some(row.stored.decision_bytes()?)
            }
            Part::Ending if row.stored.closed_batch == Some(batch) => {
                row.ending_seen = true;
                ending
            }
            // An `unknown` that another ending was written over: that one is in a later batch.
            Part::Ending if row.stored.closed_batch > Some(batch) => return Ok(None),
            _ => None,
        };
        let same = content.is_some_and(|content| vault::sha256(&content) == entry.hash);
        Ok((!same).then_some(Fault::Changed(entry.id.into())))
    }

    /// No batch is left: is the last the head, and is there no row of a batch that never was?
    async fn end(&self, tx: &mut TenantTx, head: &StoredHead) -> Result<Step, Error> {
        let (number, hash) = self.last;
        let missing = head.number > number && (self.first.is_some() || head.kept_from.is_none());
        if missing || head.number == number && head.hash != hash {
            return Ok(Step::Fault(Fault::Batch(number + i64::from(missing))));
        }
        let stray = sql::stray(tx, self.first.unwrap_or(head.number + 1), head.kept_from).await?;
        Ok(stray.map_or(Step::End, |id| Step::Fault(Fault::SlippedIn(id.into()))))
    }
}

/// A row, and whether the chain has spoken of its parts.
pub(crate) struct Checked {
    pub(crate) stored: Stored,
    decision_seen: bool,
    ending_seen: bool,
}

impl Checked {
    pub(crate) fn new(stored: Stored) -> Self {
        Self { stored, decision_seen: false, ending_seen: false }
    }

    /// What is wrong with a row that says it is of this batch, after the batch has spoken.
    fn unaccounted(&self, batch: i64) -> Option<Fault> {
        let id = self.stored.id.into();
        if self.stored.batch == batch && !self.decision_seen {
            return Some(Fault::SlippedIn(id));
        }
        (self.stored.closed_batch == Some(batch) && !self.ending_seen).then_some(Fault::Changed(id))
    }
}
