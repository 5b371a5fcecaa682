//! Reading an export back: does everything in it follow from what comes before, and is everything there that was written? Needs
//! the file alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::TenantId;
use serde::Deserialize;
use uuid::Uuid;

use super::line::{BatchLine, Line, Opening, VERSION};
use crate::chain::{self, Entry, Hash, Part, hex, unhex};
use crate::heads::{Awaited, DayHead};
use crate::verify::statements::StoredBatch;
use crate::verify::{Fault, Verified};

/// What reading an export showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileVerified {
    /// Whose log it is.
    pub tenant: TenantId,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// The hash of the batch before the first: the end of an export of the days before.
    pub behind: String,
    /// What the walk showed.
    pub verified: Verified,
    /// Endings that were replaced by some that were written after these days: whether rightly, this file can't say.
    pub replaced_later: u64,
}

/// The file is no export, or can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It can't be read.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Its first line is not that of an export.
    #[error(
        "the first line is not that of `tollgate audit export`: was the file cut or changed at its beginning?"
    )]
    NoExport,
    /// It was written in a later form.
    #[error(
        "it is written in form {0}, which this version can't read: use the version that wrote it, or a later one"
    )]
    Version(u32),
}

/// Whose log an export says it is of, and of which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begins {
    /// Whose log it is.
    pub tenant: TenantId,
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
}

/// Reads the first line of an export.
pub fn begins(file: impl BufRead) -> Result<Begins, CheckError> {
    let opening = opening(&file.lines().next().transpose()?.unwrap_or_default())?;
    Ok(Begins { tenant: opening.tenant.into(), from: opening.from, to: opening.to })
}

fn opening(line: &str) -> Result<Opening, CheckError> {
    match serde_json::from_str(line) {
        Ok(Line::Export(opening)) if opening.version == VERSION => Ok(opening),
        Ok(Line::Export(opening)) => Err(CheckError::Version(opening.version)),
        _ => Err(CheckError::NoExport),
    }
}

/// Reads an export. It must come by these heads of days; decisions made before `kept_from` may be missing, since their days
/// were dropped from the log before the export was made.
pub fn check(
    file: impl BufRead,
    kept: &[DayHead],
    kept_from: Option<NaiveDate>,
) -> Result<FileVerified, CheckError> {
    let mut lines = file.lines();
    let opening = opening(&lines.next().transpose()?.unwrap_or_default())?;
    let behind = unhex(&opening.behind.hash).ok_or(CheckError::NoExport)?;
    let mut reading = Reading::of(&opening, behind, kept, kept_from);
    let mut fault = None;
    for (number, line) in (2..).zip(lines) {
        fault = reading.take(number, &line?).err();
        if fault.is_some() {
            break;
        }
    }
    let fault = fault.or_else(|| reading.finish());
    Ok(FileVerified {
        tenant: opening.tenant.into(),
        from: opening.from,
        to: opening.to,
        behind: opening.behind.hash,
        verified: Verified {
            batches: reading.batches,
            rows: reading.rows,
            head: hex(&reading.last.1),
            fault,
        },
        replaced_later: reading.replaced.len() as u64,
    })
}

/// How far the file was read.
struct Reading {
    tenant: Uuid,
    kept_from: Option<DateTime<Utc>>,
    last: (i64, Hash),
    batches: u64,
    rows: u64,
    awaited: Awaited,
    /// The batch whose parts are being read.
    open: Option<(Vec<Entry>, Vec<Told>)>,
    /// Endings that a later batch is said to have.
    replaced: BTreeMap<Uuid, i64>,
    ended: bool,
}

/// A part of a row as the file tells it; no hash of an ending that was replaced.
struct Told {
    part: Part,
    id: Uuid,
    hash: Option<Hash>,
}

impl Told {
    fn is_of(&self, entry: &Entry) -> bool {
        (self.id, self.part) == (entry.id, entry.part)
    }
}

#[derive(Deserialize)]
struct Named {
    id: Uuid,
}

impl Reading {
    fn of(opening: &Opening, behind: Hash, kept: &[DayHead], kept_from: Option<NaiveDate>) -> Self {
        let mut awaited = Awaited::of(kept);
        awaited.pass(&behind);
        Self {
            tenant: opening.tenant,
            kept_from: kept_from.map(|day| day.and_time(NaiveTime::MIN).and_utc()),
            last: (opening.behind.number, behind),
            batches: 0,
            rows: 0,
            awaited,
            open: None,
            replaced: BTreeMap::new(),
            ended: false,
        }
    }

    fn take(&mut self, number: u64, line: &str) -> Result<(), Fault> {
        let wrong = Fault::Line(number);
        if self.ended {
            return Err(wrong);
        }
        let told = match serde_json::from_str(line).map_err(|_| wrong)? {
            Line::Batch(batch) => {
                self.close()?;
                return self.open(batch);
            }
            Line::End(end) => {
                self.close()?;
                self.ended = true;
                let same = (end.number, unhex(&end.hash)) == (self.last.0, Some(self.last.1));
                return if same { Ok(()) } else { Err(Fault::Batch(self.last.0 + 1)) };
            }
            Line::Decision(content) => {
                let Named { id } = serde_json::from_str(content.get()).map_err(|_| wrong)?;
                Told { part: Part::Decision, id, hash: Some(vault::sha256(content.get().as_bytes())) }
            }
            Line::Ending(line) => {
                let hash = vault::sha256(line.ending.get().as_bytes());
                Told { part: Part::Ending, id: line.id, hash: Some(hash) }
            }
            Line::Replaced(line) if line.batch > self.last.0 => {
                self.replaced.insert(line.id, line.batch);
                Told { part: Part::Ending, id: line.id, hash: None }
            }
            Line::Export(_) | Line::Replaced(_) => return Err(wrong),
        };
        self.open.as_mut().ok_or(wrong)?.1.push(told);
        Ok(())
    }

    /// A batch begins.
    fn open(&mut self, line: BatchLine) -> Result<(), Fault> {
        let fault = Fault::Batch(self.last.0 + 1);
        let batch = StoredBatch {
            written_at: line.written_at,
            number: line.number,
            previous: self.last.1.to_vec(),
            entries: STANDARD.decode(line.entries).map_err(|_| fault)?,
            hash: unhex(&line.hash).ok_or(fault)?.to_vec(),
        };
        let hash = batch.follows(self.tenant, self.last).ok_or(fault)?;
        self.last = (batch.number, hash);
        self.batches += 1;
        self.awaited.pass(&hash);
        self.open = Some((chain::decode(&batch.entries).ok_or(fault)?, Vec::new()));
        Ok(())
    }

    /// A batch is over: were all its parts told, in its order, and no others?
    fn close(&mut self) -> Result<(), Fault> {
        let Some((entries, told)) = self.open.take() else { return Ok(()) };
        let written: BTreeSet<_> = entries.iter().map(|entry| (entry.id, entry.part.word())).collect();
        let mut rest = told.as_slice();
        for entry in &entries {
            match rest.split_first() {
                Some((told, behind)) if told.is_of(entry) => {
                    self.compare(entry, told)?;
                    rest = behind;
                }
                _ if self.may_be_missing(entry) => {}
                Some((other, _)) if !written.contains(&(other.id, other.part.word())) => {
                    return Err(Fault::SlippedIn(other.id.into()));
                }
                Some((other, behind)) if behind.iter().any(|told| told.is_of(entry)) => {
                    return Err(Fault::Moved(other.id.into()));
                }
                _ => return Err(Fault::Removed(entry.id.into())),
            }
            if entry.part == Part::Ending && self.replaced.get(&entry.id) == Some(&self.last.0) {
                self.replaced.remove(&entry.id);
            }
        }
        match rest.first() {
            Some(told) => Err(Fault::SlippedIn(told.id.into())),
            // Endings that this batch was to have, and has not.
            None => match self.replaced.iter().find(|(_, by)| **by <= self.last.0) {
                Some((id, _)) => Err(Fault::Removed((*id).into())),
                None => Ok(()),
            },
        }
    }

    fn compare(&mut self, entry: &Entry, told: &Told) -> Result<(), Fault> {
        if told.hash.is_some_and(|hash| hash != entry.hash) {
            return Err(Fault::Changed(entry.id.into()));
        }
        self.rows += u64::from(entry.part == Part::Decision);
        Ok(())
    }

    fn may_be_missing(&self, entry: &Entry) -> bool {
        self.kept_from.is_some_and(|from| entry.decided_at < from)
    }

    fn finish(&self) -> Option<Fault> {
        if self.ended { self.awaited.missing() } else { Some(Fault::Cut) }
    }
}
