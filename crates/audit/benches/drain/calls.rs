//! Calls as a gateway makes them: settled, with their record, and closed.

use audit::{ClientNote, Closing, Decision, GrantNote, PolicyNote, ServerNote};
use domain::{Clock, DecisionId, Outcome, TenantId};
use futures_util::StreamExt;
use ledger::{Close, GiveBack, Ledger, Settle, Settled};
use uuid::Uuid;
use vault::Entropy;

/// Calls under way at once, where as many are made as go.
pub const AT_ONCE: usize = 64;

/// Makes so many calls, of each organisation in turn.
pub async fn make(ledger: &Ledger, tenants: &[TenantId], calls: usize) {
    let calls = futures_util::stream::iter(0..calls);
    let call = |number: usize| Caller::of(ledger, tenants[number % tenants.len()]).call(number);
    calls.map(call).buffer_unordered(AT_ONCE).count().await;
}

/// Who calls.
#[derive(Clone, Copy)]
pub struct Caller<'a> {
    ledger: &'a Ledger,
    pub tenant: TenantId,
}

impl<'a> Caller<'a> {
    pub fn of(ledger: &'a Ledger, tenant: TenantId) -> Self {
        Self { ledger, tenant }
    }

    /// Makes a call: every twelfth is refused, the others end at once.
    pub async fn call(self, number: usize) -> DecisionId {
        let decision = self.decision(number as u128);
        let record = decision.to_bytes().unwrap();
        let settled = self
            .ledger
            .settle(&Settle {
                tenant: self.tenant,
                decision: decision.id,
                epoch: 1,
                generation: *self.ledger.generation().borrow(),
                fresh: None,
                charges: &[],
                record: &record,
            })
            .await
            .unwrap();
        assert!(matches!(settled, Settled::Taken { .. }), "{settled:?}");
        if decision.forwards {
            let record = self.closing(&decision).to_bytes().unwrap();
            let close = Close {
                tenant: self.tenant,
                decision: decision.id,
                record: &record,
                give_back: GiveBack::Nothing,
            };
            self.ledger.close(&close).await.unwrap();
        }
        decision.id
    }

    fn decision(&self, number: u128) -> Decision {
        let refused = number % 12 == 11;
        let id = |kind: u128, of: u128| {
            Uuid::from_u128(self.tenant.uuid().as_u128() ^ (kind << 64) ^ (number % of))
        };
        let (grant, tool) = (number % 97, number % 49);
        let now = Clock::System.now();
        Decision {
            id: Entropy::System.id(now),
            tenant: self.tenant,
            decided_at: now,
            outcome: if refused { Outcome::Deny } else { Outcome::Allow },
            forwards: !refused,
            server: Some(ServerNote { id: id(1, 3).into(), name: format!("server-{}", number % 3) }),
            grant: Some(GrantNote {
                id: id(2, 97).into(),
                label: format!("agent {grant}"),
                identity: format!("person{}@example.com", grant % 31),
            }),
            client: ClientNote { name: Some("claude-code".to_owned()), version: Some("2.1".to_owned()) },
            address: None,
            protocol_version: Some("2025-11-25".to_owned()),
            method: Some("tools/call".to_owned()),
            tool: Some(format!("flowforge_tool_{tool}")),
            rule: refused.then(|| format!("/tools/flowforge_tool_{tool}/deny_if/0")),
            message: refused.then(|| "This is refused by the policy of the organisation.".to_owned()),
            condition: None,
            policy: Some(PolicyNote { id: id(3, 1).into(), name: "Support".to_owned(), version: 3 }),
            argument_keys: vec!["limit".to_owned(), "run_id".to_owned()],
            argument_digest: Some("ab".repeat(32)),
            limits: Vec::new(),
            shadow: None,
            judged_micros: Some(180),
            request_bytes: Some(230),
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
        }
    }

    fn closing(&self, decision: &Decision) -> Closing {
        Closing {
            id: decision.id,
            tenant: self.tenant,
            decided_at: decision.decided_at,
            closed_at: Clock::System.now(),
            failed: false,
            failure: None,
            upstream_status: Some(200),
            gateway_micros: Some(410),
            upstream_micros: Some(11_500),
            response_bytes: Some(900),
            repeats: None,
        }
    }
}
