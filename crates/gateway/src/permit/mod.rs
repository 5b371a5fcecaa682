//! The right to forward one request. There is no other way to a [`Permit`] than a settled allow: the ledger (or, while it
//! is away, Postgres) has the decision on record, its quota is taken, and the state it was judged by was current.

mod outage;

use std::sync::Arc;

use audit::Decision;
use domain::Outcome;
use ledger::{RedisTime, Settle, Settled};

use crate::arrival::Arrival;
use crate::caller;
use crate::close::{Open, OpenCall};
use crate::counter;
use crate::denial::Denial;
use crate::directory::{GrantView, Held};
use crate::judge::{self, Ask, Judged};
use crate::record;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// How often a request is judged anew while the configuration changes under it.
const ATTEMPTS: usize = 8;

/// A settled allow. Forwarding consumes it; dropped unused, it is closed as abandoned.
pub(crate) struct Permit {
    view: Arc<GrantView>,
    call: OpenCall,
}

/// What became of a request that asked to be forwarded.
pub(crate) enum Ruling {
    Permit(Permit),
    Denial(Denial),
}

impl Permit {
    /// Uses it up.
    pub fn spend(self) -> (Arc<GrantView>, OpenCall) {
        (self.view, self.call)
    }
}

/// Judges and settles a request until the state it was judged by is the current one.
pub(crate) async fn obtain(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    mut held: Held,
    ask: &Ask<'_>,
) -> Result<Ruling, Refusal> {
    let mut fresh = None;
    for _ in 0..ATTEMPTS {
        let attempt = Attempt::new(arrival, &held, ask)?;
        match gateway.parts.ledger.settle(&attempt.settle(&held, fresh)).await {
            Ok(Settled::Taken { cacheable, .. }) => {
                remember(gateway, &held, cacheable);
                return Ok(attempt.taken(gateway, arrival, &held));
            }
            Ok(Settled::Over { index, level, cacheable }) => {
                remember(gateway, &held, cacheable);
                return attempt.over(&held, index, level);
            }
            Ok(Settled::Stale { now, generation }) => {
                fresh = Some(now);
                held = reread(gateway, arrival, &held, generation).await?;
            }
            Ok(Settled::Full) => return Err(Refusal::LogFull),
            Err(error) => {
                tracing::warn!(request = %arrival.id, %error, "a call is judged without redis");
                return outage::obtain(gateway, arrival, &held, ask).await;
            }
        }
    }
    Err(Refusal::Unsettled)
}

fn remember(gateway: &GatewayState, held: &Held, cacheable: bool) {
    if cacheable && !held.remembered {
        gateway.directory.remember(held);
    }
}

/// The grant as it stands now, if the token still is one of this server.
async fn reread(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    held: &Held,
    generation: u64,
) -> Result<Held, Refusal> {
    let view = gateway.directory.read(&held.view.token_hash).await?;
    let unknown = Refusal::Unauthenticated { sent: true, reason: "unknown token" };
    let held = Held { view: view.ok_or(unknown)?, generation, remembered: false };
    caller::admit(gateway, arrival, &held)?;
    Ok(held)
}

/// One judgement of a request, ready to be settled.
struct Attempt {
    judged: Judged,
    decision: Decision,
    record: Vec<u8>,
    charges: Vec<ledger::Charge>,
}

impl Attempt {
    fn new(arrival: &Arrival, held: &Held, ask: &Ask<'_>) -> Result<Self, Refusal> {
        let judged = judge::judge(&held.view, ask);
        let decision = record::judged(arrival, &held.view, ask, &judged);
        let record = decision.to_bytes().map_err(|error| {
            tracing::error!(request = %arrival.id, %error, "a decision can't be recorded");
            Refusal::Internal
        })?;
        let charge = |charge| counter::charge(&held.view, ask.session, charge);
        let charges = judged.charges().iter().map(charge).collect();
        Ok(Self { judged, decision, record, charges })
    }

    fn settle<'a>(&'a self, held: &Held, fresh: Option<RedisTime>) -> Settle<'a> {
        Settle {
            tenant: held.view.tenant,
            decision: self.decision.id,
            epoch: held.view.epoch,
            generation: held.generation,
            fresh,
            charges: &self.charges,
            record: &self.record,
        }
    }

    fn taken(self, gateway: &GatewayState, arrival: &Arrival, held: &Held) -> Ruling {
        match self.judged {
            Judged::Allow { charges, .. } => {
                let mut open = Open::new(gateway.clone(), &self.decision, arrival.since);
                open.charged = !charges.is_empty();
                open.refund_on_error = refundable(&charges);
                Ruling::Permit(Permit { view: Arc::clone(&held.view), call: OpenCall::new(open) })
            }
            Judged::Refuse { outcome, refusal } => {
                let denial =
                    Denial::new(&held.view, self.decision.id, outcome, &refusal.rule, &refusal.message);
                Ruling::Denial(denial)
            }
        }
    }

    fn over(self, held: &Held, index: usize, level: ledger::Level) -> Result<Ruling, Refusal> {
        let Some(charge) = self.judged.charges().get(index) else {
            tracing::error!(request = %self.decision.id, index, "the ledger names a limit that was not charged");
            return Err(Refusal::Internal);
        };
        let limit = &charge.limit;
        let denial = Denial::new(&held.view, self.decision.id, Outcome::Limit, &limit.rule, &limit.message);
        Ok(Ruling::Denial(Denial { limit: Some(level), ..denial }))
    }
}

/// The places of the charges that a result with `isError: true` gives back.
fn refundable(charges: &[policy::Charge]) -> Vec<usize> {
    let marked = |(place, charge): (usize, &policy::Charge)| charge.limit.refund_on_error.then_some(place);
    charges.iter().enumerate().filter_map(marked).collect()
}
