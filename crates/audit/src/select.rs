//! What every query of rows has in common: the columns, and the filter.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::Filter;

/// A row's id is made at the time of its decision; this is how far the two may be apart.
const SLACK: Duration = Duration::seconds(5);

/// A [`Filter`] in the terms of the columns: `$1` to `$9` of a filtered query; the tenant is `$10`.
pub(crate) struct Terms {
    pub server: Option<Uuid>,
    pub grant: Option<Uuid>,
    pub identity: Option<String>,
    pub tool: Option<String>,
    pub outcomes: Vec<String>,
    pub rule: Option<String>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
    pub id: Option<Uuid>,
}

impl Terms {
    pub(crate) fn of(filter: &Filter) -> Self {
        let id = filter.request_id.map(domain::DecisionId::uuid);
        // With its time an id is looked for in one or two days' partitions. Ids of another kind are nobody's.
        let made = id.map(|id| made_at(id).unwrap_or_default());
        Self {
            server: filter.server.map(domain::ServerId::uuid),
            grant: filter.grant.map(domain::GrantId::uuid),
            identity: filter.identity.clone(),
            tool: filter.tool.as_deref().map(pattern),
            outcomes: filter.outcomes.iter().map(|outcome| outcome.as_str().to_owned()).collect(),
            rule: filter.rule.clone(),
            from: filter.from.max(made.map(|made| made - SLACK)),
            to: [filter.to, made.map(|made| made + SLACK)].into_iter().flatten().min(),
            id,
        }
    }
}

/// The time in a UUIDv7.
fn made_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

/// The LIKE pattern of a tool's name, or of its beginning when it ends with `*`.
fn pattern(tool: &str) -> String {
    let (name, rest) = tool.strip_suffix('*').map_or((tool, ""), |name| (name, "%"));
    let mut pattern = String::with_capacity(tool.len() + 8);
    for c in name.chars() {
        if matches!(c, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + rest
}

/// A checked query of `decisions` with a filter: the statement begins before FROM and goes on after the WHERE clause;
/// further arguments start at `$11`.
macro_rules! filtered {
    ($record:ty, $select:literal, $terms:expr, $tenant:expr, $rest:literal $(, $argument:expr)*) => {
        sqlx::query_as!(
            $record,
            $select
                + "
             FROM decisions
             WHERE tenant_id = $10
                 AND ($1::uuid IS NULL OR server_id = $1)
                 AND ($2::uuid IS NULL OR grant_id = $2)
                 AND ($3::text IS NULL OR identity = $3)
                 AND ($4::text IS NULL OR tool LIKE $4)
                 AND (cardinality($5::text[]) = 0 OR outcome = ANY($5))
                 AND ($6::text IS NULL OR rule = $6)
                 AND ($7::timestamptz IS NULL OR decided_at >= $7)
                 AND ($8::timestamptz IS NULL OR decided_at < $8)
                 AND ($9::uuid IS NULL OR id = $9)
             "
                + $rest,
            $terms.server,
            $terms.grant,
            $terms.identity,
            $terms.tool,
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
    ($terms:expr, $tenant:expr, $rest:literal $(, $argument:expr)*) => {
        crate::select::filtered!(
            crate::stored::Stored,
            "SELECT tenant_id, decided_at, id, batch, decided, forwards, counting_until, server_id, server_name, grant_id,
                 grant_label, identity, client_name, client_version, address, protocol_version, method, tool, rule, message,
                 condition, policy_id, policy_name, policy_version, argument_keys, argument_digest, limit_rule, limit_used,
                 limit_max, limit_resets_at, shadow_outcome, shadow_rule, shadow_message, trace_id, judged_micros,
                 request_bytes, closed_batch, closed_at, lost, failed, failure, upstream_status, gateway_micros,
                 upstream_micros, response_bytes, refunded, repeats, outcome, completion",
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
    fn a_tool_is_taken_by_its_letters_but_for_a_star_at_the_end() {
        assert_eq!(pattern("run_it"), "run\\_it");
        assert_eq!(pattern("50%*"), "50\\%%");
        assert_eq!(pattern("a*b\\"), "a*b\\\\");
        assert_eq!(pattern("*"), "%");
    }

    #[test]
    fn an_id_narrows_the_time() {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap_or_default();
        let id = domain::DecisionId::v7(at, [7; 10]);
        let terms = Terms::of(&Filter { request_id: Some(id), to: Some(at), ..Filter::default() });
        assert_eq!((terms.from, terms.to), (Some(at - SLACK), Some(at)));
    }
}
