//! Walking the chain: is every row of a tenant as it was written, and is every row that was written there?
//!
//! Where old days were dropped the walk begins behind the last batch that went with them, whose hash was kept.

mod fault;
pub(crate) mod statements;

use domain::TenantId;
use storage::{Storage, TenantTx};
use uuid::Uuid;

pub use self::fault::Fault;
pub use self::statements::tenants;
use self::statements::{self as sql, Bounds, StoredBatch};
use crate::Error;
use crate::chain::{self, BEGINNING, Entry, Hash, Part};
use crate::heads::{Awaited, DayHead};
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

/// Walks a tenant's chain from the oldest batch that is kept to the newest. What is written meanwhile may be left out.
pub async fn verify(storage: &Storage, tenant: TenantId) -> Result<Verified, Error> {
    verify_against(storage, tenant, &[]).await
}

/// The same, and the chain must come by these heads of days.
pub async fn verify_against(
    storage: &Storage,
    tenant: TenantId,
    kept: &[DayHead],
) -> Result<Verified, Error> {
    let mut tx = storage.tenant(tenant).await?;
    let mut awaited = Awaited::of(kept);
    for anchor in sql::anchors(&mut tx).await? {
        awaited.pass(&anchor);
    }
    tx.commit().await?;
    let mut walk = Walk { batches: 0, rows: 0, last: (0, BEGINNING), awaited };
    let fault = loop {
        let mut tx = storage.tenant(tenant).await?;
        let step = walk.step(&mut tx).await?;
        tx.commit().await?;
        match step {
            Step::More => {}
            Step::Fault(fault) => break Some(fault),
            Step::End => break walk.awaited.missing(),
        }
    };
    Ok(Verified { batches: walk.batches, rows: walk.rows, head: chain::hex(&walk.last.1), fault })
}

/// How far the walk has come.
#[derive(Clone)]
struct Walk {
    batches: u64,
    rows: u64,
    /// Number and hash of the last batch that was right.
    last: (i64, Hash),
    awaited: Awaited,
}

enum Step {
    More,
    Fault(Fault),
    End,
}

impl Walk {
    async fn step(&mut self, tx: &mut TenantTx) -> Result<Step, Error> {
        let bounds = sql::bounds(tx).await?;
        let mut ahead = self.clone();
        let step = ahead.look(tx, &bounds).await?;
        // Days that were dropped while it looked are no fault: it looks again.
        if matches!(step, Step::Fault(_)) && sql::bounds(tx).await?.kept_from != bounds.kept_from {
            return Ok(Step::More);
        }
        *self = ahead;
        Ok(step)
    }

    async fn look(&mut self, tx: &mut TenantTx, bounds: &Bounds) -> Result<Step, Error> {
        let tenant = tx.tenant().uuid();
        if bounds.anchor.0 > self.last.0 {
            self.last = bounds.anchor;
        }
        let batches = sql::batches_behind(tx, self.last.0).await?;
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return self.end(tx, bounds).await;
        };
        let mut rows = sql::rows_of(tx, first.number, last.number).await?;
        for batch in &batches {
            let next = self.last.0 + 1;
            let Some(entries) = self.link(tenant, batch) else { return Ok(Step::Fault(Fault::Batch(next))) };
            for entry in entries.iter().filter(|entry| !bounds.dropped(batch.number, entry)) {
                let fault = match rows.get_mut(&(entry.decided_at, entry.id)) {
                    Some(row) => self.compare(batch.number, entry, row)?,
                    None => self.missing(tx, batch.number, entry, bounds).await?,
                };
                if let Some(fault) = fault {
                    return Ok(Step::Fault(fault));
                }
            }
            if let Some(fault) = rows.values().find_map(|row| row.unaccounted(batch.number)) {
                return Ok(Step::Fault(fault));
            }
        }
        Ok(Step::More)
    }

    /// The entries of a batch, if it follows from the last.
    fn link(&mut self, tenant: Uuid, batch: &StoredBatch) -> Option<Vec<Entry>> {
        let hash = batch.follows(tenant, self.last)?;
        self.last = (batch.number, hash);
        self.batches += 1;
        self.awaited.pass(&hash);
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

    /// No row says that it is of this batch.
    async fn missing(
        &self,
        tx: &mut TenantTx,
        batch: i64,
        entry: &Entry,
        bounds: &Bounds,
    ) -> Result<Option<Fault>, Error> {
        Ok(match sql::closed_by(tx, entry).await? {
            // An `unknown` that another ending was written over, long after.
            Some(closed) if entry.part == Part::Ending && closed > Some(batch) => None,
            Some(_) => Some(Fault::Changed(entry.id.into())),
            None if entry.part == Part::Ending && bounds.is_old(entry.decided_at) => None,
            None => Some(Fault::Removed(entry.id.into())),
        })
    }

    /// No batch is left: is the last the head, and is there no row of a batch that never was?
    async fn end(&self, tx: &mut TenantTx, bounds: &Bounds) -> Result<Step, Error> {
        let (number, hash) = self.last;
        let (head, head_hash) = bounds.head;
        if head > number || head == number && head_hash != hash {
            return Ok(Step::Fault(Fault::Batch(number + i64::from(head > number))));
        }
        let stray = sql::stray(tx, bounds.anchor.0).await?;
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
