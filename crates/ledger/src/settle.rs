//! Settling a call: is the judged state still current, do all its limits allow it, and the record that it was so.

use chrono::{DateTime, Utc};
use domain::{DecisionId, TenantId};

use redis::{FromRedisValue, RedisError};

use crate::connection::Link;
use crate::invocation::{Invocation, Text};
use crate::operation::{Operation, Whole};
use crate::scripts::SETTLE;
use crate::{Ledger, LedgerError, Shard, Window};

/// What one limit asks of one counter. Amounts are millionths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Who shares the count: a hash (`vault::sha256`, or a MAC) of scope, counter name, window and key value, unique
    /// within the tenant.
    pub counter: [u8; 32],
    /// The span over which charges add up.
    pub window: Window,
    /// The most the counter may hold; at most 9 000 000 000 000 000.
    pub max: u64,
    /// What this call costs.
    pub amount: u64,
    /// Counted apart and never in the way of the call.
    pub shadow: bool,
}

/// A moment on Redis' clock, in microseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RedisTime(pub(crate) u64);

/// One judged call, to be settled.
#[derive(Clone, Debug)]
pub struct Settle<'a> {
    /// Whose call it is.
    pub tenant: TenantId,
    /// The call; also names the reservation that [`Ledger::close`] gives back.
    pub decision: DecisionId,
    /// The tenant's `config_epoch` in the snapshot that the call was judged by.
    pub epoch: u64,
    /// What [`Ledger::generation`] said before that snapshot was read.
    pub generation: u64,
    /// Redis' time of the stale answer that made the snapshot be read anew; none for a snapshot from memory.
    pub fresh: Option<RedisTime>,
    /// The limits to take, all or none. Empty for a call that the policy denied.
    pub charges: &'a [Charge],
    /// The decision, for the stream.
    pub record: &'a [u8],
}

/// How far a counter is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Counted now, in millionths; for a charge that was taken, with it.
    pub used: u64,
    /// The most that may be counted, in millionths.
    pub max: u64,
    /// After a charge was taken: when nothing of the counter would be left if nothing more is taken. After one was
    /// refused: when the same charge would fit if nothing more is taken (if it never fits: as after a taken one).
    pub resets_at: DateTime<Utc>,
}

/// What became of a [`Settle`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Everything was taken and the decision is on record.
    Taken {
        /// One per charge, in their order.
        levels: Vec<Level>,
        /// The first shadow charge that would have refused the call. Then no shadow charge was taken.
        shadow_over: Option<usize>,
        /// Whether the snapshot may be used for further calls.
        cacheable: bool,
    },
    /// A limit is used up. Nothing was taken; the decision is on record, marked with the limit that refused it.
    Over {
        /// Which charge refused.
        index: usize,
        /// Its counter.
        level: Level,
        /// Whether the snapshot may be used for further calls.
        cacheable: bool,
    },
    /// The judged state may be out of date. Nothing was taken or written: read it anew, judge again, and settle
    /// with `fresh: Some(now)` and this generation.
    Stale {
        /// Redis' time of this answer.
        now: RedisTime,
        /// The generation of the shard on the connection that answered.
        generation: u64,
    },
    /// The stream is full. Nothing was taken or written: refuse the call.
    Full,
}

/// The greatest `max` of a limit: 9 000 000 000 in millionths, still below 2^53, where the script's numbers end.
const GREATEST: u64 = 9_000_000_000_000_000;

impl Ledger {
    /// Settles a call in one round trip. `Away` and `Timeout` leave unknown whether it took effect: refuse the call,
    /// don't settle it again.
    pub async fn settle(&self, settle: &Settle<'_>) -> Result<Settled, LedgerError> {
        let mut settling = Settling { ledger: self, settle, generation: settle.generation };
        let answer: Vec<i64> = self.send(Shard::of(settle.tenant), Whole(&mut settling)).await?;
        read(&answer, settle.charges, settling.generation).ok_or_else(|| LedgerError::shape("settle"))
    }
}

/// A call on its way.
struct Settling<'a> {
    ledger: &'a Ledger,
    settle: &'a Settle<'a>,
    /// Of the shard, on the connection that it was last sent over.
    generation: u64,
}

impl Operation for Settling<'_> {
    async fn run<T: FromRedisValue + Send>(&mut self, link: &mut Link) -> Result<T, RedisError> {
        self.generation = link.generation;
        (&self.call(link.generation)).run(link).await
    }
}

impl Settling<'_> {
    /// The script and what it is given, for a shard of this generation.
    fn call(&self, generation: u64) -> Invocation {
        let (keys, settle) = (self.ledger.keys(), self.settle);
        let mut call = Invocation::new(&SETTLE, 4 + settle.charges.len());
        call.arg(keys.epoch(settle.tenant))
            .arg(keys.pending(settle.tenant))
            .arg(keys.stream(Shard::of(settle.tenant)))
            .arg(keys.reservation(settle.tenant, settle.decision));
        for charge in settle.charges {
            call.arg(keys.counter(settle.tenant, &charge.counter, charge.shadow));
        }
        // What was read before the shard was on this connection is of nobody's epoch: the answer is `Stale`.
        let known = settle.generation >= generation;
        call.arg(self.ledger.given_time());
        match settle.fresh.filter(|_| known) {
            Some(fresh) => call.arg(settle.epoch).arg(fresh.0),
            None if known => call.arg(settle.epoch).arg(""),
            None => call.arg(-2).arg(""),
        };
        call.arg(Text(settle.tenant.uuid().simple())).arg(settle.record).arg(self.ledger.stream_max());
        for charge in settle.charges {
            arguments(&mut call, charge);
        }
        call
    }
}

fn arguments(call: &mut Invocation, charge: &Charge) {
    let (kind, seconds) = match charge.window {
        Window::Sliding { seconds } => ("s", seconds),
        Window::Calendar { seconds } => ("c", seconds),
        Window::CalendarMonth => ("m", 0),
    };
    let max = charge.max.min(GREATEST);
    // One above the limit is refused like anything above it, and exact.
    let amount = charge.amount.min(max + 1);
    call.arg(kind).arg(seconds.max(1)).arg(max).arg(amount).arg(u8::from(charge.shadow));
}

/// Reads what `settle.lua` answers.
fn read(answer: &[i64], charges: &[Charge], generation: u64) -> Option<Settled> {
    let level = |charge: &Charge, used: i64, resets: i64| {
        Some(Level {
            used: u64::try_from(used).ok()?,
            max: charge.max.min(GREATEST),
            resets_at: DateTime::from_timestamp_millis(resets)?,
        })
    };
    match *answer {
        [0, now] => Some(Settled::Stale { now: RedisTime(u64::try_from(now).ok()?), generation }),
        [1] => Some(Settled::Full),
        [2, cacheable, index, used, resets] => {
            let index = usize::try_from(index).ok()?;
            let level = level(charges.get(index)?, used, resets)?;
            Some(Settled::Over { index, level, cacheable: cacheable == 1 })
        }
        [3, cacheable, shadow, ref pairs @ ..] if pairs.len() == charges.len() * 2 => {
            let levels =
                pairs.chunks_exact(2).zip(charges).map(|(pair, charge)| level(charge, pair[0], pair[1]));
            Some(Settled::Taken {
                levels: levels.collect::<Option<_>>()?,
                shadow_over: usize::try_from(shadow).ok(),
                cacheable: cacheable == 1,
            })
        }
        _ => None,
    }
}
