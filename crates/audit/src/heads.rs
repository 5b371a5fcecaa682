//! Heads of days, for safekeeping: whoever has one can tell a chain that was cut off or written anew from the one it was.

use std::collections::BTreeMap;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use domain::TenantId;
use storage::Storage;

use crate::Error;
use crate::chain::{Hash, hex, unhex};
use crate::verify::Fault;

/// The hash of the last batch that was written on a day, or before it if there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayHead {
    /// The day, UTC.
    pub day: NaiveDate,
    hash: Hash,
}

/// The text is no head of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a head of a day is `2026-11-26=` and 64 hexadecimal digits, as `tollgate audit head` prints it")]
pub struct DayHeadError;

impl DayHead {
    /// The hash, in hexadecimal.
    pub fn hex(&self) -> String {
        hex(&self.hash)
    }
}

impl FromStr for DayHead {
    type Err = DayHeadError;

    fn from_str(text: &str) -> Result<Self, DayHeadError> {
        let (day, hash) = text.split_once('=').ok_or(DayHeadError)?;
        Ok(Self { day: day.parse().map_err(|_| DayHeadError)?, hash: unhex(hash).ok_or(DayHeadError)? })
    }
}

/// The head of a tenant's day; none when nothing was written until then. Of a day that is not over: the head so far.
pub async fn day_head(storage: &Storage, tenant: TenantId, day: NaiveDate) -> Result<Option<DayHead>, Error> {
    let mut tx = storage.tenant(tenant).await?;
    let hash = sqlx::query_scalar!(
        r#"SELECT hash AS "hash!" FROM (
               (SELECT number, hash FROM audit_batches WHERE tenant_id = $1 AND written_at < $2
                ORDER BY number DESC LIMIT 1)
               UNION ALL
               (SELECT number, hash FROM audit_anchors WHERE tenant_id = $1 AND day <= $3
                ORDER BY number DESC LIMIT 1)) AS last
           ORDER BY number DESC LIMIT 1"#,
        tenant.uuid(),
        (day + TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc(),
        day
    )
    .fetch_optional(tx.connection())
    .await?;
    tx.commit().await?;
    Ok(hash.and_then(|hash| hash.try_into().ok()).map(|hash| DayHead { day, hash }))
}

/// The heads that a chain must come by.
#[derive(Clone, Debug)]
pub(crate) struct Awaited(BTreeMap<Hash, NaiveDate>);

impl Awaited {
    pub(crate) fn of(kept: &[DayHead]) -> Self {
        Self(kept.iter().map(|head| (head.hash, head.day)).collect())
    }

    /// The chain comes by this one.
    pub(crate) fn pass(&mut self, hash: &Hash) {
        self.0.remove(hash);
    }

    /// The chain is at its end: the first day whose head it did not come by.
    pub(crate) fn missing(&self) -> Option<Fault> {
        self.0.values().min().copied().map(Fault::Head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_as_it_is_printed() {
        let text = format!("2026-11-26={}", "0a".repeat(32));
        let head: DayHead = text.parse().unwrap();
        assert_eq!(format!("{}={}", head.day, head.hex()), text);
        for wrong in ["", "2026-11-26", "2026-11-26=0a", &text.replace("2026", "x"), &text.replace('=', " ")]
        {
            assert_eq!(wrong.parse::<DayHead>(), Err(DayHeadError));
        }
    }
}
