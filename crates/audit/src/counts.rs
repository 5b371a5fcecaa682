//! The counts that are kept beside the rows: what a transaction adds to them. [`crate::statistics`] reads them.
//!
//! Every row counts once in its hour, by what was called, and once in its day, by who called, under its outcome; a row that
//! turns out to have failed moves.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;
use crate::statements::Completed;
use crate::stored::Stored;

/// What of a row is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facets<'a> {
    pub decided_at: DateTime<Utc>,
    pub server: Option<Uuid>,
    pub grant: Option<Uuid>,
    pub identity: Option<&'a str>,
    pub client: Option<&'a str>,
    pub tool: Option<&'a str>,
    pub rule: Option<&'a str>,
}

impl<'a> Facets<'a> {
    pub(crate) fn of(row: &'a Stored) -> Self {
        Self {
            decided_at: row.decided_at,
            server: row.server_id,
            grant: row.grant_id,
            identity: row.identity.as_deref(),
            client: row.client_name.as_deref(),
            tool: row.tool.as_deref(),
            rule: row.rule.as_deref(),
        }
    }
}

impl<'a> From<&'a Completed> for Facets<'a> {
    fn from(row: &'a Completed) -> Self {
        Self {
            decided_at: row.decided_at,
            server: row.server_id,
            grant: row.grant_id,
            identity: row.identity.as_deref(),
            client: row.client_name.as_deref(),
            tool: row.tool.as_deref(),
            rule: row.rule.as_deref(),
        }
    }
}

/// Which rows of an hour are counted together: hour, server, tool, rule, outcome.
type HourKey<'a> = (DateTime<Utc>, Uuid, &'a str, &'a str, &'a str);
/// Which rows of a day are counted together: day, grant, identity, client, outcome.
type DayKey<'a> = (NaiveDate, Uuid, &'a str, &'a str, &'a str);
/// How many were added or taken away, and the newest.
type Change = (i64, DateTime<Utc>);

/// What a transaction changes in the counts of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Counts<'a> {
    hours: BTreeMap<HourKey<'a>, Change>,
    days: BTreeMap<DayKey<'a>, Change>,
}

impl<'a> Counts<'a> {
    /// A row with this outcome was added (1), or no longer has it (-1).
    pub(crate) fn add(&mut self, row: Facets<'a>, outcome: &'a str, by: i64) {
        let add = |change: &mut Change| *change = (change.0 + by, change.1.max(row.decided_at));
        let text = Option::unwrap_or_default;
        let (server, tool, rule) = (row.server.unwrap_or_default(), text(row.tool), text(row.rule));
        let none = (0, row.decided_at);
        add(self.hours.entry((hour_of(row.decided_at), server, tool, rule, outcome)).or_insert(none));
        if let Some(grant) = row.grant {
            let key = (row.decided_at.date_naive(), grant, text(row.identity), text(row.client), outcome);
            add(self.days.entry(key).or_insert(none));
        }
    }

    /// Writes them down.
    pub(crate) async fn write(self, connection: &mut PgConnection, tenant: Uuid) -> Result<(), Error> {
        if !self.hours.is_empty() {
            write_hours(connection, tenant, &self.hours).await?;
        }
        if !self.days.is_empty() {
            write_days(connection, tenant, &self.days).await?;
        }
        Ok(())
    }
}

async fn write_hours(
    connection: &mut PgConnection,
    tenant: Uuid,
    hours: &BTreeMap<HourKey<'_>, Change>,
) -> Result<(), Error> {
    let keys = || hours.keys();
    let (counts, lasts): (Vec<i64>, Vec<DateTime<Utc>>) = hours.values().copied().unzip();
    sqlx::query!(
        "INSERT INTO decision_hours AS c (tenant_id, hour, server_id, tool, rule, outcome, count, last)
         SELECT $1, hour, server_id, tool, rule, outcome, count, last
         FROM UNNEST($2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
             $8::timestamptz[]) AS r (hour, server_id, tool, rule, outcome, count, last)
         ON CONFLICT (tenant_id, hour, server_id, tool, rule, outcome)
         DO UPDATE SET count = c.count + excluded.count, last = greatest(c.last, excluded.last)",
        tenant,
        &keys().map(|key| key.0).collect::<Vec<_>>(),
        &keys().map(|key| key.1).collect::<Vec<_>>(),
        &keys().map(|key| key.2).collect::<Vec<_>>() as &[&str],
        &keys().map(|key| key.3).collect::<Vec<_>>() as &[&str],
        &keys().map(|key| key.4).collect::<Vec<_>>() as &[&str],
        &counts,
        &lasts
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_days(
    connection: &mut PgConnection,
    tenant: Uuid,
    days: &BTreeMap<DayKey<'_>, Change>,
) -> Result<(), Error> {
    let keys = || days.keys();
    let (counts, lasts): (Vec<i64>, Vec<DateTime<Utc>>) = days.values().copied().unzip();
    sqlx::query!(
        "INSERT INTO decision_days AS c (tenant_id, day, grant_id, identity, client, outcome, count, last)
         SELECT $1, day, grant_id, identity, client, outcome, count, last
         FROM UNNEST($2::date[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[])
             AS r (day, grant_id, identity, client, outcome, count, last)
         ON CONFLICT (tenant_id, grant_id, day, identity, client, outcome)
         DO UPDATE SET count = c.count + excluded.count, last = greatest(c.last, excluded.last)",
        tenant,
        &keys().map(|key| key.0).collect::<Vec<_>>(),
        &keys().map(|key| key.1).collect::<Vec<_>>(),
        &keys().map(|key| key.2).collect::<Vec<_>>() as &[&str],
        &keys().map(|key| key.3).collect::<Vec<_>>() as &[&str],
        &keys().map(|key| key.4).collect::<Vec<_>>() as &[&str],
        &counts,
        &lasts
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// When the hour of a time began.
pub(crate) fn hour_of(at: DateTime<Utc>) -> DateTime<Utc> {
    // Fails beyond the year 2262 alone.
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_counts_once_an_hour_and_a_day_and_may_move() {
        let at = DateTime::from_timestamp(1_800_001_234, 5).unwrap_or_default();
        let grant = Uuid::from_u128(2);
        let row = Facets {
            decided_at: at,
            server: Some(Uuid::from_u128(1)),
            grant: Some(grant),
            identity: Some("ada"),
            client: None,
            tool: Some("list"),
            rule: None,
        };
        let mut counts = Counts::default();
        counts.add(row, "allow", 1);
        counts.add(Facets { grant: None, ..row }, "allow", 1);
        counts.add(row, "allow", -1);
        counts.add(row, "error", 1);
        let hours: Vec<_> = counts.hours.iter().map(|(key, change)| (key.2, key.4, change.0)).collect();
        assert_eq!(hours, [("list", "allow", 1), ("list", "error", 1)]);
        let days: Vec<_> = counts.days.iter().map(|(key, change)| (key.1, key.2, key.4, change.0)).collect();
        assert_eq!(days, [(grant, "ada", "allow", 0), (grant, "ada", "error", 1)]);
        assert_eq!(hour_of(at).timestamp(), 1_800_000_000);
    }
}
