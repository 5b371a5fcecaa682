//! What the tests share: a database and a Redis of their own, a tenant, and decisions to write down.

use std::time::Duration;

use audit::{
    ClientNote, Closing, Decision, Drain, DrainSettings, Filter, GrantNote, LimitNote, PolicyNote, Row,
    ServerNote,
};
use chrono::{DateTime, TimeZone, Utc};
use domain::{Clock, GrantId, Outcome, ServerId, TenantId};
use ledger::{Charge, Close, GiveBack, Ledger, Settle, Settled, Window};
use sqlx::Connection;
use storage::Storage;
use testkit::TestDb;
use vault::Entropy;

/// One test's world. The clock stands unless it is moved.
pub struct Desk {
    pub db: TestDb,
    pub storage: Storage,
    pub ledger: Ledger,
    pub clock: Clock,
    pub entropy: Entropy,
    pub tenant: TenantId,
}

/// 14 June 2028, 12:34:56.789012 UTC.
pub fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2028, 6, 14, 12, 34, 56).unwrap() + chrono::Duration::microseconds(789_012)
}

impl Desk {
    pub async fn new() -> Self {
        let db = testkit::database().await;
        let clock = Clock::manual(start());
        let ledger = testkit::redis().ledger(clock.clone()).await;
        let entropy = Entropy::System;
        let tenant = entropy.id(start());
        let desk = Self { storage: db.storage.clone(), db, ledger, clock, entropy, tenant };
        desk.publish(desk.tenant).await;
        desk
    }

    /// Makes epoch 1 the current one of a tenant.
    pub async fn publish(&self, tenant: TenantId) {
        testkit::introduce(&self.ledger, tenant, 1).await;
    }

    pub fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.entropy.id(self.clock.now())
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    pub fn drain(&self) -> Drain {
        self.drain_with(DrainSettings::default())
    }

    /// All drains of a test are one holder, so that none waits for the lease of another.
    pub fn drain_with(&self, settings: DrainSettings) -> Drain {
        Drain::new(
            self.ledger.clone(),
            self.storage.clone(),
            self.clock.clone(),
            &Entropy::seeded(1),
            settings,
        )
    }

    /// An allowed call that is forwarded, with something in every field.
    pub fn allowed(&self) -> Decision {
        Decision {
            id: self.id(),
            tenant: self.tenant,
            decided_at: self.clock.now(),
            outcome: Outcome::Allow,
            forwards: true,
            server: Some(ServerNote { id: server(1), name: "Flowforge".to_owned() }),
            grant: Some(GrantNote {
                id: grant(1),
                label: "CI".to_owned(),
                identity: "ada@example.com".to_owned(),
            }),
            client: ClientNote { name: Some("claude-code".to_owned()), version: Some("2.1".to_owned()) },
            address: None,
            protocol_version: Some("2025-11-25".to_owned()),
            method: Some("tools/call".to_owned()),
            tool: Some("flowforge_list_runs".to_owned()),
            rule: None,
            message: None,
            condition: None,
            policy: Some(PolicyNote { id: self.id(), name: "Support".to_owned(), version: 3 }),
            argument_keys: vec!["run_id".to_owned(), "limit".to_owned()],
            argument_digest: Some("ab".repeat(32)),
            limits: vec![LimitNote {
                rule: "/tools/a/limits/0".to_owned(),
                message: "at most 2 a minute".to_owned(),
            }],
            shadow: None,
            judged_micros: Some(180),
            request_bytes: Some(230),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        }
    }

    /// A call that the policy refused.
    pub fn denied(&self) -> Decision {
        Decision {
            outcome: Outcome::Deny,
            forwards: false,
            rule: Some("/tools/flowforge_delete_run/deny_if/0".to_owned()),
            message: Some("People delete runs.".to_owned()),
            tool: Some("flowforge_delete_run".to_owned()),
            ..self.allowed()
        }
    }

    /// How an allowed call ends well.
    pub fn closing(&self, decision: &Decision) -> Closing {
        Closing {
            id: decision.id,
            tenant: decision.tenant,
            decided_at: decision.decided_at,
            closed_at: self.clock.now() + Duration::from_millis(12),
            failed: false,
            failure: None,
            upstream_status: Some(200),
            gateway_micros: Some(410),
            upstream_micros: Some(11_500),
            response_bytes: Some(900),
            repeats: None,
        }
    }

    /// Settles as the gateway does, with a limit of two a minute where the decision has one.
    pub async fn settle(&self, decision: &Decision) -> Settled {
        let charge = Charge {
            counter: [1; 32],
            window: Window::Sliding { seconds: 60 },
            max: 2,
            amount: 1,
            shadow: false,
        };
        let charges = vec![charge; if decision.forwards { decision.limits.len() } else { 0 }];
        self.settle_charges(decision, &charges).await
    }

    pub async fn settle_charges(&self, decision: &Decision, charges: &[Charge]) -> Settled {
        let settle = Settle {
            tenant: decision.tenant,
            decision: decision.id,
            epoch: 1,
            generation: *self.ledger.generation().borrow(),
            fresh: None,
            charges,
            record: &decision.to_bytes().unwrap(),
        };
        let settled = self.ledger.settle(&settle).await.unwrap();
        assert!(matches!(settled, Settled::Taken { .. } | Settled::Over { .. }), "{settled:?}");
        settled
    }

    /// Settles without limits.
    pub async fn record(&self, decision: &Decision) {
        self.settle_charges(decision, &[]).await;
    }

    pub async fn close(&self, closing: &Closing, give_back: GiveBack) {
        let record = closing.to_bytes().unwrap();
        let close = Close { tenant: closing.tenant, decision: closing.id, record: &record, give_back };
        self.ledger.close(&close).await.unwrap();
    }

    /// Every row that fits, newest first: on a busy machine a search may end before it has looked at all.
    pub async fn found(&self, filter: &Filter) -> Vec<Row> {
        let mut tx = self.storage.tenant(self.tenant).await.unwrap();
        let (mut rows, mut next) = (Vec::new(), None);
        loop {
            let page = audit::search(&mut tx, filter, next, 1000).await.unwrap();
            rows.extend(page.rows);
            next = page.next;
            if next.is_none() {
                return rows;
            }
        }
    }

    /// The tenant's rows, newest first.
    pub async fn rows(&self) -> Vec<Row> {
        self.found(&Filter::default()).await
    }

    pub async fn get(&self, decision: &Decision) -> Option<Row> {
        let mut tx = self.storage.tenant(self.tenant).await.unwrap();
        audit::get(&mut tx, decision.id).await.unwrap()
    }

    /// What is wrong with the counts.
    pub async fn miscounted(&self) -> Vec<String> {
        let mut owner = self.db.owner().await;
        let wrong = sqlx::query_scalar(MISCOUNTED).fetch_all(&mut owner).await.unwrap();
        owner.close().await.unwrap();
        wrong
    }

    /// Asserts that the chain is whole and the counts agree with the rows; answers how many rows it holds.
    pub async fn verified(&self) -> u64 {
        assert_eq!(self.miscounted().await, Vec::<String>::new());
        let verified = audit::verify(&self.storage, self.tenant).await.unwrap();
        assert_eq!(verified.fault, None);
        verified.rows
    }
}

/// The counts that are not what counting the rows gives, of all tenants; a count of 0 is as good as none.
pub const MISCOUNTED: &str = "
    WITH r AS (
        SELECT tenant_id::text AS tenant, extract(epoch FROM date_trunc('hour', decided_at, 'UTC'))::text AS hour,
            coalesce(server_id, '00000000-0000-0000-0000-000000000000')::text AS server, coalesce(tool, '') AS tool,
            coalesce(rule, '') AS rule, grant_id::text AS grant_id, coalesce(identity, '') AS identity,
            coalesce(client_name, '') AS client, outcome
        FROM decisions),
    counted AS (
        SELECT 'call', tenant, hour, server, tool, rule, outcome, count(*) FROM r GROUP BY 2, 3, 4, 5, 6, 7
        UNION ALL
        SELECT 'grant', tenant, hour, grant_id, identity, client, outcome, count(*) FROM r
        WHERE grant_id IS NOT NULL GROUP BY 2, 3, 4, 5, 6, 7
        UNION ALL
        SELECT 'server', tenant, hour, server, '', '', outcome, count(*) FROM r
        WHERE server <> '00000000-0000-0000-0000-000000000000' GROUP BY 2, 3, 4, 7
        UNION ALL
        SELECT 'server', tenant, hour, 'ffffffff-ffff-ffff-ffff-ffffffffffff', '', '', outcome, count(*) FROM r GROUP BY 2, 3, 7
        UNION ALL
        SELECT 'tool', tenant, hour, tool, '', '', outcome, count(*) FROM r WHERE tool <> '' GROUP BY 2, 3, 4, 7),
    kept AS (
        SELECT 'call', tenant_id::text, extract(epoch FROM hour)::text, server_id::text, tool, rule, outcome, count
        FROM decision_hours WHERE count <> 0
        UNION ALL
        SELECT 'grant', tenant_id::text, extract(epoch FROM hour)::text, grant_id::text, identity, client, outcome, count
        FROM decision_grant_hours WHERE count <> 0
        UNION ALL
        SELECT 'server', tenant_id::text, extract(epoch FROM hour)::text, server_id::text, '', '', outcome, count
        FROM decision_server_hours WHERE count <> 0
        UNION ALL
        SELECT 'tool', tenant_id::text, extract(epoch FROM hour)::text, tool, '', '', outcome, count
        FROM decision_tool_hours WHERE count <> 0)
    SELECT concat_ws(' ', 'counted', c.*) FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept) c
    UNION ALL SELECT concat_ws(' ', 'kept', k.*) FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted) k";

pub fn server(n: u128) -> ServerId {
    uuid::Uuid::from_u128(n).into()
}

pub fn grant(n: u128) -> GrantId {
    uuid::Uuid::from_u128(n).into()
}
