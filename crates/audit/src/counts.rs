//! The counts that are kept beside the rows: what a transaction adds to them. [`crate::statistics`] reads them.
//!
//! Every row counts in its hour under its outcome: by what was called, by who called, by its server, by its tool and in all; a row
//! that turns out to have failed moves.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
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
type CallKey<'a> = (DateTime<Utc>, Uuid, &'a str, &'a str, &'a str);
/// The same by who called: hour, grant, identity, client, outcome.
type GrantKey<'a> = (DateTime<Utc>, Uuid, &'a str, &'a str, &'a str);
/// How many were added or taken away, and the newest.
type Change = (i64, DateTime<Utc>);

/// In the place of a server: all of them, and what names none.
pub(crate) const ALL_SERVERS: Uuid = Uuid::max();

/// What a transaction changes in the counts of one tenant.
#[derive(Debug, Default)]
pub(crate) struct Counts<'a> {
    calls: BTreeMap<CallKey<'a>, Change>,
    grants: BTreeMap<GrantKey<'a>, Change>,
    /// By hour, server and outcome.
    servers: BTreeMap<(DateTime<Utc>, Uuid, &'a str), i64>,
    /// By hour, tool and outcome.
    tools: BTreeMap<(DateTime<Utc>, &'a str, &'a str), i64>,
}

impl<'a> Counts<'a> {
    /// A row with this outcome was added (1), or no longer has it (-1).
    pub(crate) fn add(&mut self, row: Facets<'a>, outcome: &'a str, by: i64) {
        let add = |change: &mut Change| *change = (change.0 + by, change.1.max(row.decided_at));
        let text = Option::unwrap_or_default;
        let (hour, none) = (hour_of(row.decided_at), (0, row.decided_at));
        let (server, tool, rule) = (row.server.unwrap_or_default(), text(row.tool), text(row.rule));
        add(self.calls.entry((hour, server, tool, rule, outcome)).or_insert(none));
        for server in row.server.into_iter().chain([ALL_SERVERS]) {
            *self.servers.entry((hour, server, outcome)).or_default() += by;
        }
        if let Some(tool) = row.tool {
            *self.tools.entry((hour, tool, outcome)).or_default() += by;
        }
        if let Some(grant) = row.grant {
            let key = (hour, grant, text(row.identity), text(row.client), outcome);
            add(self.grants.entry(key).or_insert(none));
        }
    }

    /// Writes them down.
    pub(crate) async fn write(self, connection: &mut PgConnection, tenant: Uuid) -> Result<(), Error> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let calls = || self.calls.keys();
        let (call_counts, call_lasts): (Vec<i64>, Vec<DateTime<Utc>>) = self.calls.values().copied().unzip();
        let grants = || self.grants.keys();
        let (grant_counts, grant_lasts): (Vec<i64>, Vec<DateTime<Utc>>) =
            self.grants.values().copied().unzip();
        let (servers, tools) = (|| self.servers.keys(), || self.tools.keys());
        // One statement: each would take a way to Postgres and back.
        sqlx::query!(
            "WITH grants AS (
                 INSERT INTO decision_grant_hours AS c (tenant_id, hour, grant_id, identity, client, outcome, count, last)
                 SELECT $1, r.* FROM UNNEST($2::timestamptz[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[],
                     $8::timestamptz[]) AS r
                 ON CONFLICT (tenant_id, grant_id, hour, identity, client, outcome)
                 DO UPDATE SET count = c.count + excluded.count, last = greatest(c.last, excluded.last)),
             servers AS (
                 INSERT INTO decision_server_hours AS c (tenant_id, hour, server_id, outcome, count)
                 SELECT $1, r.* FROM UNNEST($9::timestamptz[], $10::uuid[], $11::text[], $12::bigint[]) AS r
                 ON CONFLICT (tenant_id, hour, server_id, outcome) DO UPDATE SET count = c.count + excluded.count),
             tools AS (
                 INSERT INTO decision_tool_hours AS c (tenant_id, hour, tool, outcome, count)
                 SELECT $1, r.* FROM UNNEST($13::timestamptz[], $14::text[], $15::text[], $16::bigint[]) AS r
                 ON CONFLICT (tenant_id, hour, tool, outcome) DO UPDATE SET count = c.count + excluded.count)
             INSERT INTO decision_hours AS c (tenant_id, hour, server_id, tool, rule, outcome, count, last)
             SELECT $1, r.* FROM UNNEST($17::timestamptz[], $18::uuid[], $19::text[], $20::text[], $21::text[], $22::bigint[],
                 $23::timestamptz[]) AS r
             ON CONFLICT (tenant_id, hour, server_id, tool, rule, outcome)
             DO UPDATE SET count = c.count + excluded.count, last = greatest(c.last, excluded.last)",
            tenant,
            &list(grants(), |key| key.0),
            &list(grants(), |key| key.1),
            &list(grants(), |key| key.2) as &[&str],
            &list(grants(), |key| key.3) as &[&str],
            &list(grants(), |key| key.4) as &[&str],
            &grant_counts,
            &grant_lasts,
            &list(servers(), |key| key.0),
            &list(servers(), |key| key.1),
            &list(servers(), |key| key.2) as &[&str],
            &list(self.servers.values(), |count| *count),
            &list(tools(), |key| key.0),
            &list(tools(), |key| key.1) as &[&str],
            &list(tools(), |key| key.2) as &[&str],
            &list(self.tools.values(), |count| *count),
            &list(calls(), |key| key.0),
            &list(calls(), |key| key.1),
            &list(calls(), |key| key.2) as &[&str],
            &list(calls(), |key| key.3) as &[&str],
            &list(calls(), |key| key.4) as &[&str],
            &call_counts,
            &call_lasts
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// One part of each.
fn list<K, T>(keys: impl Iterator<Item = K>, of: impl Fn(K) -> T) -> Vec<T> {
    keys.map(of).collect()
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
    fn a_row_counts_once_in_each_of_its_places_and_may_move() {
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
        let calls: Vec<_> = counts.calls.iter().map(|(key, change)| (key.2, key.4, change.0)).collect();
        assert_eq!(calls, [("list", "allow", 1), ("list", "error", 1)]);
        let grants: Vec<_> =
            counts.grants.iter().map(|(key, change)| (key.1, key.2, key.4, change.0)).collect();
        assert_eq!(grants, [(grant, "ada", "allow", 0), (grant, "ada", "error", 1)]);
        counts.add(Facets { server: None, tool: None, ..row }, "allow", 1);
        let servers: Vec<_> = counts.servers.iter().map(|(key, count)| (key.1, key.2, *count)).collect();
        let (one, all) = (Uuid::from_u128(1), ALL_SERVERS);
        assert_eq!(servers, [(one, "allow", 1), (one, "error", 1), (all, "allow", 2), (all, "error", 1)]);
        let tools: Vec<_> = counts.tools.iter().map(|(key, count)| (key.1, key.2, *count)).collect();
        assert_eq!(tools, [("list", "allow", 1), ("list", "error", 1)]);
        assert_eq!(hour_of(at).timestamp(), 1_800_000_000);
    }
}
