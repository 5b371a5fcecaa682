//! The log of some days with its chain, as lines of JSON that prove themselves: `docs/audit.md` says what is in them. This is the
//! writing; [`check`] reads them back without a database.

mod check;
mod line;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::TenantId;
use storage::{Storage, TenantTx};
use uuid::Uuid;

pub use self::check::{Begins, CheckError, FileVerified, begins, check};
use self::line::{Anchor, BatchLine, Line, Opening, Replaced};
use crate::Error;
use crate::chain::{self, BEGINNING, Entry, Part, hex};
use crate::stored::Stored;
use crate::verify::Checked;
use crate::verify::statements::{self as sql, StoredBatch};

/// The part of a log that was written on some days, on its way out: a chunk at a time, and no transaction between them.
#[derive(Debug)]
pub struct Evidence {
    storage: Storage,
    tenant: TenantId,
    from: NaiveDate,
    to: NaiveDate,
    at: At,
}

#[derive(Clone, Copy, Debug)]
enum At {
    Start,
    /// Behind this batch, up to that one.
    Behind(i64, i64),
    End,
}

impl Evidence {
    /// What was written from the first day to the last, both among them, UTC.
    pub fn new(storage: Storage, tenant: TenantId, from: NaiveDate, to: NaiveDate) -> Self {
        Self { storage, tenant, from, to, at: At::Start }
    }

    /// The next lines; none at the end. An error of [`Error::NothingWritten`] comes at once or not at all.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let mut tx = self.storage.tenant(self.tenant).await?;
        let mut out = Vec::new();
        match self.at {
            At::Start => self.open(&mut tx, &mut out).await?,
            At::Behind(number, last) => self.go_on(&mut tx, number, last, &mut out).await?,
            At::End => {}
        }
        tx.commit().await?;
        Ok((!out.is_empty()).then(|| out.into()))
    }

    async fn open(&mut self, tx: &mut TenantTx, out: &mut Vec<u8>) -> Result<(), Error> {
        let begin = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let span = sql::span(tx, begin(self.from), begin(self.to + TimeDelta::days(1))).await?;
        let Some((first, last)) = span else { return Err(Error::NothingWritten) };
        let oldest = sql::batches_behind(tx, first - 1).await?;
        let previous = oldest.first().and_then(|batch| batch.previous.as_slice().try_into().ok());
        line::write(
            out,
            &Line::Export(Opening {
                version: line::VERSION,
                tenant: self.tenant.uuid(),
                from: self.from,
                to: self.to,
                behind: Anchor { number: first - 1, hash: hex(&previous.unwrap_or(BEGINNING)) },
            }),
        )?;
        self.at = At::Behind(first - 1, last);
        Ok(())
    }

    async fn go_on(
        &mut self,
        tx: &mut TenantTx,
        number: i64,
        last: i64,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut batches = sql::batches_behind(tx, number).await?;
        batches.retain(|batch| batch.number <= last);
        let (Some(first), Some(end)) = (batches.first(), batches.last()) else {
            return Err(Error::DroppedMeanwhile);
        };
        let rows = sql::rows_of(tx, first.number, end.number).await?;
        for batch in &batches {
            write_batch(tx, batch, &rows, out).await?;
        }
        self.at = At::Behind(end.number, last);
        if end.number == last {
            let hash = end.hash.as_slice().try_into().unwrap_or(BEGINNING);
            line::write(out, &Line::End(Anchor { number: last, hash: hex(&hash) }))?;
            self.at = At::End;
        }
        Ok(())
    }
}

/// A batch, then its parts of rows in its order; at last those that say they are of it and are not.
async fn write_batch(
    tx: &mut TenantTx,
    batch: &StoredBatch,
    rows: &BTreeMap<(DateTime<Utc>, Uuid), Checked>,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let number = batch.number;
    line::write(
        out,
        &Line::Batch(BatchLine {
            number,
            written_at: batch.written_at,
            entries: STANDARD.encode(&batch.entries),
            hash: batch.hash.as_slice().try_into().map(|hash| hex(&hash)).unwrap_or_default(),
        }),
    )?;
    let entries = chain::decode(&batch.entries).unwrap_or_default();
    let mut told: BTreeSet<(Uuid, u8)> = BTreeSet::new();
    for entry in &entries {
        let row = rows.get(&(entry.decided_at, entry.id)).map(|row| &row.stored);
        told.insert((entry.id, entry.part.word()));
        let told = row.map(|row| write_part(row, entry.part, number, out)).transpose()?.unwrap_or(false);
        if !told && entry.part == Part::Ending {
            write_replaced(tx, entry, number, out).await?;
        }
    }
    for row in rows.values().map(|row| &row.stored) {
        for part in [Part::Decision, Part::Ending] {
            if !told.contains(&(row.id, part.word())) {
                write_part(row, part, number, out)?;
            }
        }
    }
    Ok(())
}

/// Writes what of the row is of this batch. Answers whether there was anything.
fn write_part(row: &Stored, part: Part, batch: i64, out: &mut Vec<u8>) -> Result<bool, Error> {
    match part {
        Part::Decision if row.batch == batch => line::write_decision(out, &row.decision_bytes()?),
        Part::Ending if row.closed_batch == Some(batch) => {
            let ending = row.ending_bytes()?.unwrap_or_else(|| b"{}".to_vec());
            line::write_ending(out, row.id, &ending);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// An `unknown` that another ending was written over is told by the batch of that one.
async fn write_replaced(
    tx: &mut TenantTx,
    entry: &Entry,
    batch: i64,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    if let Some(Some(by)) = sql::closed_by(tx, entry).await?
        && by > batch
    {
        line::write(out, &Line::Replaced(Replaced { id: entry.id, batch: by }))?;
    }
    Ok(())
}
