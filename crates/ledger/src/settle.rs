//! Settling a call: is the judged state still current, do all its limits allow it, and the record that it was so.

use chrono::{DateTime, Utc};
use domain::{DecisionId, TenantId};

use crate::{Ledger, LedgerError, Window};

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
        /// The generation of the connection that answered.
        generation: u64,
    },
    /// The stream is full. Nothing was taken or written: refuse the call.
    Full,
}

impl Ledger {
    /// Settles a call in one round trip. `Away` and `Timeout` leave unknown whether it took effect: refuse the call,
    /// don't settle it again.
    pub async fn settle(&self, settle: &Settle<'_>) -> Result<Settled, LedgerError> {
        let _ = settle;
        unimplemented!()
    }
}
