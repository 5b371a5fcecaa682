//! What every query of rows has in common: the columns, and the filter.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::Filter;

/// A row's id is made at the time of its decision; this is how far the two may be apart.
const SLACK: Duration = Duration::seconds(5);

/// A [`Filter`] in the terms of the columns: `$1` to `$11` of a filtered query; the tenant is `$12`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Terms {
    pub server: Option<Uuid>,
    pub grant: Option<Uuid>,
    pub identity: Option<String>,
    pub tool: Option<String>,
    pub tools: Beginning,
    pub outcomes: Vec<String>,
    pub rule: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub id: Option<Uuid>,
    /// Of a lead: refusals and failures alone.
    pub refused: bool,
}

impl Terms {
    pub(crate) fn of(filter: &Filter) -> Self {
        let id = filter.request_id.map(domain::DecisionId::uuid);
        // With its time an id is looked for in one or two days' partitions. Ids of another kind are nobody's.
        let made = id.map(|id| made_at(id).unwrap_or_default());
        let beginning = filter.tool.as_deref().and_then(|tool| tool.strip_suffix('*'));
        Self {
            server: filter.server.map(domain::ServerId::uuid),
            grant: filter.grant.map(domain::GrantId::uuid),
            identity: filter.identity.clone(),
            tool: filter.tool.clone().filter(|_| beginning.is_none()),
            tools: beginning.map(Beginning::of).unwrap_or_default(),
            outcomes: filter.outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect(),
            rule: filter.rule.clone(),
            from: filter.from.max(made.map(|made| made - SLACK)),
            to: [filter.to, made.map(|made| made + SLACK)].into_iter().flatten().min(),
            id,
            refused: false,
        }
    }
}

/// The time in a UUIDv7.
fn made_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

/// Texts that begin alike, as a range in the order of bytes: LIKE is no way to an index under row level security.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginning {
    /// The least; none: any text, and none at all.
    pub least: Option<String>,
    /// The least text behind them; none: there is none.
    pub behind: Option<String>,
}

impl Beginning {
    pub(crate) fn of(beginning: &str) -> Self {
        let mut behind = beginning.to_owned();
        while let Some(last) = behind.pop() {
            // A range leaves out what is no character.
            if let Some(next) = (last..=char::MAX).nth(1) {
                behind.push(next);
                return Self { least: Some(beginning.to_owned()), behind: Some(behind) };
            }
        }
        Self { least: Some(beginning.to_owned()), behind: None }
    }
}

/// A checked query of `decisions`, or of a part of it by that name, with a filter: the statement begins before FROM and goes
/// on after the WHERE clause; further arguments start at `$13`.
macro_rules! filtered {
    ($record:ty, $select:literal, $from:literal, $terms:expr, $tenant:expr, $rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            $record,
            $select
                + " FROM "
                + $from
                + "
             WHERE decisions.tenant_id = $12
                 AND ($1::uuid IS NULL OR decisions.server_id = $1)
                 AND ($2::uuid IS NULL OR decisions.grant_id = $2)
                 AND ($3::text IS NULL OR decisions.identity = $3)
                 AND ($4::text IS NULL OR decisions.tool = $4)
                 AND ($5::text IS NULL OR decisions.tool ~>=~ $5)
                 AND ($6::text IS NULL OR decisions.tool ~<~ $6)
                 AND (cardinality($7::text[]) = 0 OR decisions.outcome = ANY($7))
                 AND ($8::text IS NULL OR decisions.rule = $8)
                 AND ($9::timestamptz IS NULL OR decisions.decided_at >= $9)
                 AND ($10::timestamptz IS NULL OR decisions.decided_at < $10)
                 AND ($11::uuid IS NULL OR decisions.id = $11)
             "
                + $rest,
            $terms.server,
            $terms.grant,
            $terms.identity,
            $terms.tool,
            $terms.tools.least,
            $terms.tools.behind,
            &$terms.outcomes,
            $terms.rule,
            $terms.from,
            $terms.to,
            $terms.id,
            $tenant
            $(, $argument)*
        )
    };
}
pub(crate) use filtered;

/// [`filtered`] for whole rows.
macro_rules! select_rows {
    ($from:literal, $terms:expr, $tenant:expr, $rest:literal $(, $argument:expr)*) => {
        crate::select::filtered!(
            crate::stored::Stored,
            r#"SELECT decisions.tenant_id AS "tenant_id!", decisions.decided_at AS "decided_at!", decisions.id AS "id!",
                 decisions.batch AS "batch!", decisions.decided AS "decided!", decisions.forwards AS "forwards!",
                 counting_until, server_id, server_name, grant_id,
                 grant_label, identity, client_name, client_version, address, protocol_version, method, tool, rule, message,
                 condition, policy_id, policy_name, policy_version, argument_keys AS "argument_keys!", argument_digest,
                 limit_rule, limit_used,
                 limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros,
                 request_bytes, closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros,
                 upstream_micros, response_bytes, refunded, repeats, outcome AS "outcome!", completion AS "completion!""#,
            $from,
            $terms,
            $tenant,
            $rest
            $(, $argument)*
        )
    };
}
pub(crate) use select_rows;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_a_range_of_bytes() {
        let behind = |text: &str| Beginning::of(text).behind;
        assert_eq!(behind("run_"), Some("run`".to_owned()));
        assert_eq!(behind("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(behind("a\u{10ffff}"), Some("b".to_owned()));
        assert_eq!((behind(""), behind("\u{10ffff}")), (None, None));
        assert_eq!(Beginning::of("").least, Some(String::new()));
    }

    #[test]
    fn an_id_narrows_the_time() {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap_or_default();
        let id = domain::DecisionId::v7(at, [7; 10]);
        let terms = Terms::of(&Filter { request_id: Some(id), to: Some(at), ..Filter::default() });
        assert_eq!((terms.from, terms.to), (Some(at - SLACK), Some(at)));
    }
}
