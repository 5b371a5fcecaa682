//! Reading the decision stream: leases, batches, acknowledgement.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::TenantId;
use futures_util::future::join_all;
use uuid::Uuid;

use crate::invocation::{Invocation, Text};
use crate::scripts::{LEASE, RELEASE};
use crate::{Ledger, LedgerError, Shard};

/// Redis' name of an entry; later entries of a stream have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryId {
    millis: u64,
    sequence: u64,
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
        /// It stands for all of its kind for so many seconds: ask [`Ledger::repeats`] for the count afterwards.
        counted_for: Option<u32>,
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

/// How much to read at once. At least one entry is read.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Entries.
    pub entries: usize,
    /// Bytes of their records; the entries that reach it are read.
    pub bytes: usize,
}

/// What was read of a stream.
#[derive(Clone, Debug)]
pub struct Portion {
    /// Oldest first.
    pub entries: Vec<Entry>,
    /// Whether the stream holds more, as far as was seen.
    pub more: bool,
}

/// Entries asked for first, before it is known how large they are.
const FIRST_STEP: usize = 64;

/// The fields of an entry, as Redis has them.
type Fields = Vec<(String, Vec<u8>)>;

impl Ledger {
    /// The shards with entries that nobody has acknowledged, and how many; of those that can be reached. Fails where
    /// none can.
    pub async fn backlog(&self) -> Result<Vec<(Shard, u64)>, LedgerError> {
        let mut nodes = self.by_node(Shard::all());
        if nodes.is_empty() {
            self.ping().await?;
        }
        if nodes.len() > 1 {
            // In a cluster any of them may be on its way: each by itself.
            nodes = nodes.into_iter().flatten().map(|shard| vec![shard]).collect();
        }
        let mut backlog = Vec::new();
        let mut failed = None;
        for lengths in join_all(nodes.into_iter().map(|shards| self.lengths(shards))).await {
            match lengths {
                Ok(lengths) => backlog.extend(lengths.into_iter().filter(|(_, length)| *length > 0)),
                Err(error) => failed = Some(error),
            }
        }
        backlog.sort_unstable();
        if backlog.is_empty() { failed.map_or(Ok(backlog), Err) } else { Ok(backlog) }
    }

    /// How many entries the streams of these shards hold; one connection leads to all.
    async fn lengths(&self, shards: Vec<Shard>) -> Result<Vec<(Shard, u64)>, LedgerError> {
        let mut lengths = redis::pipe();
        for shard in &shards {
            lengths.cmd("XLEN").arg(self.keys().stream(*shard));
        }
        let lengths: Vec<u64> = self.send(shards[0], &lengths).await?;
        Ok(shards.into_iter().zip(lengths).collect())
    }

    /// Takes or renews the right to read a shard. `false`: another holder has it. The right spares double work; it
    /// is no guard against it, since a holder may be slower than its lease.
    pub async fn lease(&self, shard: Shard, holder: Uuid, ttl: Duration) -> Result<bool, LedgerError> {
        let mut call = Invocation::new(&LEASE, 1);
        call.arg(self.keys().lease(shard))
            .arg(Text(holder.simple()))
            .arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1));
        Ok(self.send::<i64>(shard, &call).await? == 1)
    }

    /// Gives the right back, if this holder has it.
    pub async fn release(&self, shard: Shard, holder: Uuid) -> Result<(), LedgerError> {
        let mut call = Invocation::new(&RELEASE, 1);
        call.arg(self.keys().lease(shard)).arg(Text(holder.simple()));
        self.send::<i64>(shard, &call).await?;
        Ok(())
    }

    /// The oldest `count` entries that nobody has acknowledged.
    pub async fn read(&self, shard: Shard, count: usize) -> Result<Vec<Entry>, LedgerError> {
        self.read_behind(shard, None, count).await
    }

    /// The oldest entries that nobody has acknowledged, of `most.bytes` together: it is known how much a reader holds,
    /// whatever callers write.
    pub async fn read_portion(&self, shard: Shard, most: Most) -> Result<Portion, LedgerError> {
        let (mut entries, mut bytes, mut step) = (Vec::new(), 0, FIRST_STEP);
        loop {
            let count = step.min(most.entries - entries.len());
            let last = entries.last().map(|entry: &Entry| entry.id);
            let next = self.read_behind(shard, last, count).await?;
            let all = next.len() < count;
            bytes += next.iter().map(|entry| entry.record.len()).sum::<usize>();
            entries.extend(next);
            if all || entries.len() >= most.entries || bytes >= most.bytes {
                return Ok(Portion { entries, more: !all });
            }
            // Twice as many, as long as they are expected to fit.
            step = (2 * step).min((most.bytes - bytes) * entries.len() / bytes.max(1)).max(1);
        }
    }

    async fn read_behind(
        &self,
        shard: Shard,
        last: Option<EntryId>,
        count: usize,
    ) -> Result<Vec<Entry>, LedgerError> {
        let from = last.map_or_else(|| "-".to_owned(), |last| format!("({last}"));
        let mut command = redis::cmd("XRANGE");
        command.arg(self.keys().stream(shard)).arg(from).arg("+").arg("COUNT").arg(count);
        let entries: Vec<(String, Fields)> = self.send(shard, &command).await?;
        let entries = entries.into_iter().map(|(id, fields)| Entry::read(&id, fields));
        entries.collect::<Option<_>>().ok_or_else(|| LedgerError::shape("read"))
    }

    /// Drops everything up to and with `last`, once it is safe elsewhere.
    pub async fn acknowledge(&self, shard: Shard, last: EntryId) -> Result<(), LedgerError> {
        let mut command = redis::cmd("XTRIM");
        command.arg(self.keys().stream(shard)).arg("MINID").arg("=").arg(last.next().to_string());
        self.send::<i64>(shard, &command).await?;
        Ok(())
    }
}

impl Entry {
    fn read(id: &str, fields: Fields) -> Option<Self> {
        let (mut tenant, mut decision, mut closing) = (None, None, None);
        let (mut limit, mut over, mut shadow, mut counted_for) = (None, false, None, None);
        let mut gave_back = false;
        for (name, value) in fields {
            match name.as_str() {
                "t" => tenant = Some(Uuid::try_parse_ascii(&value).ok()?.into()),
                "d" => decision = Some(value),
                "c" => closing = Some(value),
                "l" => limit = Some(LimitMark::read(&value)?),
                "o" => (limit, over) = (Some(LimitMark::read(&value)?), true),
                "s" => shadow = Some(LimitMark::read(&value)?),
                "n" => counted_for = Some(std::str::from_utf8(&value).ok()?.parse().ok()?),
                "g" => gave_back = value == b"1",
                // A field of a newer version.
                _ => {}
            }
        }
        let (kind, record) = match (decision, closing) {
            (Some(record), None) => (EntryKind::Decision { limit, over, shadow, counted_for }, record),
            (None, Some(record)) => (EntryKind::Closing { gave_back }, record),
            _ => return None,
        };
        Some(Self { id: EntryId::read(id)?, tenant: tenant?, kind, record })
    }
}

impl LimitMark {
    /// `index used max resets-in-milliseconds`.
    fn read(text: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(text).ok()?.split(' ');
        let mut next = || parts.next()?.parse::<u64>().ok();
        Some(Self {
            index: usize::try_from(next()?).ok()?,
            used: next()?,
            max: next()?,
            resets_at: DateTime::from_timestamp_millis(i64::try_from(next()?).ok()?)?,
        })
    }
}

impl EntryId {
    /// When the entry was written, by Redis' clock; none for a time beyond all calendars.
    pub fn written_at(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(i64::try_from(self.millis).ok()?)
    }

    fn read(text: &str) -> Option<Self> {
        let (millis, sequence) = text.split_once('-')?;
        Some(Self { millis: millis.parse().ok()?, sequence: sequence.parse().ok()? })
    }

    /// The least id that is greater.
    fn next(self) -> Self {
        match self.sequence.checked_add(1) {
            Some(sequence) => Self { sequence, ..self },
            None => Self { millis: self.millis + 1, sequence: 0 },
        }
    }
}
