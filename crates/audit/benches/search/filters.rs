//! Which searches are tried: of each condition a value that is used much, one that is used seldom, and one that nothing has.

use audit::{Cursor, Filter};
use chrono::{DateTime, Duration, TimeZone, Utc};
use domain::{Outcome, TenantId};
use storage::Storage;
use uuid::Uuid;

/// What the generator made.
pub struct World {
    pub rows: i64,
    pub large: (TenantId, i64),
    pub small: (TenantId, i64),
    /// Names of pages, and where they begin.
    pub pages: Vec<(String, Option<Cursor>)>,
    names: Vec<Names>,
}

/// Ids of one tenant's servers and grants: used much, and seldom.
struct Names {
    tenant: TenantId,
    servers: [Uuid; 2],
    grants: [Uuid; 2],
}

/// The end of the log that `scripts/bench search` makes.
pub fn newest() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 27, 0, 0, 0).unwrap()
}

impl World {
    pub async fn of(storage: &Storage) -> Self {
        let mut tx = storage.system().await.unwrap();
        let mut tenants = Vec::new();
        let mut names = Vec::new();
        for (n, server, grant) in [(0, 39, 1990), (900, 2, 7)] {
            let made = |kind: &str, last: i32| {
                format!("SELECT md5('{kind}' || md5('tenant{n}')::uuid || {last})::uuid")
            };
            let mut one = async |sql: String| -> Uuid {
                let made = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(tx.connection());
                made.await.unwrap()
            };
            let tenant = one(format!("SELECT md5('tenant{n}')::uuid")).await;
            names.push(Names {
                tenant: tenant.into(),
                servers: [one(made("server", 0)).await, one(made("server", server)).await],
                grants: [one(made("grant", 0)).await, one(made("grant", grant)).await],
            });
            tenants.push(tenant);
        }
        let mut rows = async |tenant: Option<Uuid>| -> i64 {
            sqlx::query_scalar(
                "SELECT coalesce(sum(count), 0)::bigint FROM decision_hours
                 WHERE ($1::uuid IS NULL OR tenant_id = $1)",
            )
            .bind(tenant)
            .fetch_one(tx.connection())
            .await
            .unwrap()
        };
        let mut pages = vec![("first page".to_owned(), None)];
        for days in [1, 10, 20, 29] {
            let at = (newest() - Duration::days(days)).timestamp_micros();
            pages.push((
                format!("page {days} days deep"),
                Some(format!("{at:x}-{}", Uuid::max().simple()).parse().unwrap()),
            ));
        }
        Self {
            rows: rows(None).await,
            large: (tenants[0].into(), rows(Some(tenants[0])).await),
            small: (tenants[1].into(), rows(Some(tenants[1])).await),
            pages,
            names,
        }
    }

    /// Every condition alone, every two of different kinds, some of three, and each with a span of time.
    pub fn filters(&self, tenant: TenantId) -> Vec<(String, Filter)> {
        let conditions = self.conditions(tenant);
        let mut all = vec![("everything".to_owned(), Filter::default())];
        for (at, (kind, label, filter)) in conditions.iter().enumerate() {
            all.push((label.clone(), filter.clone()));
            for (other, beside, second) in &conditions[at + 1..] {
                if kind != other {
                    all.push((format!("{label} and {beside}"), both(filter, second)));
                }
            }
        }
        let often = |kind: &str| conditions.iter().find(|condition| condition.0 == kind).unwrap().2.clone();
        let three = both(&both(&often("server"), &often("grant")), &often("tool"));
        all.push(("server, grant and tool used much".to_owned(), three.clone()));
        all.push(("those and refused".to_owned(), both(&three, &often("outcome"))));
        let timed: Vec<_> = all
            .iter()
            .step_by(7)
            .map(|(label, filter)| {
                let (from, to) = (newest() - Duration::days(12), newest() - Duration::days(5));
                (format!("{label}, of one week"), Filter { from: Some(from), to: Some(to), ..filter.clone() })
            })
            .collect();
        all.extend(timed);
        all
    }

    fn conditions(&self, tenant: TenantId) -> Vec<(&'static str, String, Filter)> {
        let names = self.names.iter().find(|names| names.tenant == tenant).unwrap();
        let mut all = Vec::new();
        let mut add = |kind: &'static str, label: &str, filter: Filter| {
            all.push((kind, format!("{kind} {label}"), filter));
        };
        for (label, at) in [("used much", 0), ("used seldom", 1)] {
            add("server", label, Filter { server: Some(names.servers[at].into()), ..Filter::default() });
            add("grant", label, Filter { grant: Some(names.grants[at].into()), ..Filter::default() });
        }
        add("server", "unknown", Filter { server: Some(Uuid::from_u128(1).into()), ..Filter::default() });
        add("grant", "unknown", Filter { grant: Some(Uuid::from_u128(1).into()), ..Filter::default() });
        for (label, identity) in [("used much", "person0@example.com"), ("unknown", "nobody@example.com")] {
            add("identity", label, Filter { identity: Some(identity.to_owned()), ..Filter::default() });
        }
        for tool in
            ["flowforge_tool_0", "flowforge_tool_398", "flowforge_tool_1*", "flowforge_*", "other_*", "other"]
        {
            add("tool", tool, Filter { tool: Some(tool.to_owned()), ..Filter::default() });
        }
        for outcomes in [
            vec![Outcome::Deny],
            vec![Outcome::Malformed],
            vec![Outcome::Hidden, Outcome::Error],
            vec![Outcome::Unauthenticated],
            vec![Outcome::Allow],
        ] {
            let words: Vec<_> = outcomes.iter().map(|outcome| outcome.as_str()).collect();
            add("outcome", &words.join(" or "), Filter { outcomes, ..Filter::default() });
        }
        for rule in
            ["/tools/flowforge_tool_0/deny_if/0", "/tools/flowforge_tool_398/deny_if/2", "/tools/none"]
        {
            add("rule", rule, Filter { rule: Some(rule.to_owned()), ..Filter::default() });
        }
        all
    }
}

/// Both conditions.
fn both(one: &Filter, other: &Filter) -> Filter {
    let (one, other) = (one.clone(), other.clone());
    Filter {
        server: one.server.or(other.server),
        grant: one.grant.or(other.grant),
        identity: one.identity.or(other.identity),
        tool: one.tool.or(other.tool),
        outcomes: [one.outcomes, other.outcomes].concat(),
        rule: one.rule.or(other.rule),
        from: one.from.or(other.from),
        to: one.to.or(other.to),
        request_id: one.request_id.or(other.request_id),
    }
}
