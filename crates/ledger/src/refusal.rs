//! Records of requests that were refused before a policy could judge them.

use domain::{DecisionId, TenantId};

use crate::invocation::{Invocation, Text};
use crate::scripts::APPEND;
use crate::{Ledger, LedgerError, Shard};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the stream.
    Recorded,
    /// The same was recorded less than the span ago, so this one was only counted.
    Repeated,
    /// The stream is full; nothing was written.
    Full,
}

/// What makes two refusals the same, for how long, and which record counts them.
#[derive(Clone, Copy, Debug)]
pub struct Once {
    /// A hash of what they have in common.
    pub same: [u8; 32],
    /// The span in seconds.
    pub seconds: u32,
    /// The record that would stand for them all.
    pub decision: DecisionId,
}

impl Ledger {
    /// Appends a record, whatever the epoch. With `once`: unless the same was appended less than the span ago, by
    /// any gateway; then it is only counted.
    pub async fn append(
        &self,
        tenant: TenantId,
        record: &[u8],
        once: Option<Once>,
    ) -> Result<Appended, LedgerError> {
        let keys = self.keys();
        let mut call = Invocation::new(&APPEND, if once.is_some() { 3 } else { 1 });
        call.arg(keys.stream(Shard::of(tenant)));
        if let Some(once) = once {
            call.arg(keys.once(tenant, &once.same)).arg(keys.repeats(tenant, once.decision));
        }
        call.arg(self.given_time())
            .arg(Text(tenant.uuid().simple()))
            .arg(record)
            .arg(self.stream_max())
            .arg(once.map(|once| once.seconds));
        let answer: i64 = self.send(Shard::of(tenant), &call).await?;
        match answer {
            0 => Ok(Appended::Full),
            1 => Ok(Appended::Recorded),
            2 => Ok(Appended::Repeated),
            _ => Err(LedgerError::shape("append")),
        }
    }

    /// How many a record stands for that was appended once, itself among them. Asked when its span is over; the
    /// count is forgotten an hour later.
    pub async fn repeats(&self, tenant: TenantId, decision: DecisionId) -> Result<u64, LedgerError> {
        let mut command = redis::cmd("GET");
        command.arg(self.keys().repeats(tenant, decision));
        let more: Option<u64> = self.send(Shard::of(tenant), &command).await?;
        Ok(more.unwrap_or(0) + 1)
    }
}
