//! The days that a search walks through, newest first. A statement that names few days opens few partitions: one that names a
//! month takes Postgres as long to plan as a page may take.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use storage::TenantTx;

use crate::Error;

/// Days of the longest window. The first is one day, each other twice the one before.
const LONGEST: i64 = 8;

/// A span of time, of which a part is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    first: DateTime<Utc>,
    /// Where the part begins ...
    pub from: DateTime<Utc>,
    /// ... and what it is before.
    pub to: DateTime<Utc>,
    days: i64,
}

impl Windows {
    /// Begins with the last day of a span, as far as it is in it.
    pub(super) fn of((first, to): (DateTime<Utc>, DateTime<Utc>)) -> Self {
        let day = (to - TimeDelta::microseconds(1)).date_naive().and_time(NaiveTime::MIN).and_utc();
        Self { first, from: day.max(first), to, days: 1 }
    }

    /// The days before; none when the span is at its end.
    pub(super) fn before(self) -> Option<Self> {
        let days = (self.days * 2).min(LONGEST);
        let from = (self.from - TimeDelta::days(days)).max(self.first);
        (self.from > self.first).then_some(Self { from, to: self.from, days, ..self })
    }
}

/// The first hour that has rows, and the end of the last, as the counts know; none when there are no rows.
pub(super) async fn span(tx: &mut TenantTx) -> Result<Option<(DateTime<Utc>, DateTime<Utc>)>, Error> {
    let tenant = tx.tenant().uuid();
    let hours = sqlx::query!(
        "SELECT (SELECT hour FROM decision_hours WHERE tenant_id = $1 ORDER BY hour LIMIT 1) AS first,
             (SELECT hour FROM decision_hours WHERE tenant_id = $1 ORDER BY hour DESC LIMIT 1) AS last",
        tenant
    )
    .fetch_one(tx.connection())
    .await?;
    Ok(hours.first.zip(hours.last).map(|(first, last)| (first, last + TimeDelta::hours(1))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_whole_days_and_leave_nothing_out() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (first, to) = (at("2026-10-28T05:00:00Z"), at("2026-11-27T00:00:00Z"));
        let all: Vec<_> = std::iter::successors(Some(Windows::of((first, to))), |one| one.before()).collect();
        let begins: Vec<_> =
            all.iter().map(|one| one.from.date_naive().to_string()[5..].to_owned()).collect();
        assert_eq!(begins, ["11-26", "11-24", "11-20", "11-12", "11-04", "10-28"]);
        assert!(all.windows(2).all(|pair| pair[0].from == pair[1].to));
        assert_eq!((all[0].to, all[5].from), (to, first));
        let short = Windows::of((at("2026-11-26T08:00:00Z"), at("2026-11-26T09:00:00Z")));
        assert_eq!((short.from, short.before()), (at("2026-11-26T08:00:00Z"), None));
    }
}
