//! The right to forward one request. There is no other way to a [`Permit`] than a settled allow: the ledger (or, while it
//! is away, Postgres) has the decision on record, its quota is taken, and the state it was judged by was current.

mod outage;

use std::sync::Arc;

use audit::Decision;
use domain::Outcome;
use ledger::{RedisTime, Settle, Settled};
use storage::TakenApproval;
use tokio::time::Instant;

use crate::approval::Consent;
use crate::arrival::Arrival;
use crate::caller;
use crate::close::{Open, OpenCall};
use crate::counter;
use crate::denial::Denial;
use crate::directory::{Found, GrantView};
use crate::judge::{Ask, Judged};
use crate::record;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// How often a request is judged anew while the configuration changes under it.
const ATTEMPTS: usize = 8;

/// A settled allow. Forwarding consumes it; dropped unused, it is closed as abandoned.
pub(crate) struct Permit {
    view: Arc<GrantView>,
    call: OpenCall,
    /// What a person allowed of it, used up.
    approval: Option<TakenApproval>,
}

/// What became of a request that asked to be forwarded.
pub(crate) enum Ruling {
    Permit(Permit),
    /// It may go on, and is about a handle of ours: nothing of it is forwarded.
    Ours(Arc<GrantView>),
    Denial(Denial),
}

impl Permit {
    /// What it was judged by.
    pub fn view(&self) -> &GrantView {
        &self.view
    }

    /// The approval by which it goes on, where a person had to give one.
    pub fn approval(&self) -> Option<TakenApproval> {
        self.approval
    }

    /// Uses it up.
    pub fn spend(self) -> (Arc<GrantView>, OpenCall) {
        (self.view, self.call)
    }
}

/// Judges and settles a request until the state it was judged by is the current one.
pub(crate) async fn obtain(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    mut found: Found,
    ask: &Ask<'_>,
) -> Result<Ruling, Refusal> {
    let mut fresh = None;
    let mut consent = Consent::new(gateway);
    for _ in 0..ATTEMPTS {
        let judging = arrival.trace.map(|_| Instant::now());
        let judged = consent.judge(&found.view, arrival, ask).await?;
        let attempt = Attempt::new(arrival, &found, ask, judged)?;
        let began = Instant::now();
        let answer = gateway.parts.ledger.settle(&attempt.settle(&found, fresh)).await;
        gateway.parts.metrics.settled(&answer, began);
        arrival.settled(judging, began);
        match answer {
            Ok(Settled::Taken { cacheable, .. }) => {
                remember(gateway, &found, cacheable);
                gateway.parts.metrics.decided(attempt.decision.outcome, arrival.since);
                return Ok(attempt.taken(gateway, arrival, &found, consent));
            }
            Ok(Settled::Over { index, level, cacheable }) => {
                remember(gateway, &found, cacheable);
                gateway.parts.metrics.decided(Outcome::Limit, arrival.since);
                return attempt.over(gateway, arrival, &found, index, level);
            }
            Ok(Settled::Stale { now, generation }) => {
                fresh = Some(now);
                found = reread(gateway, arrival, &found, generation).await?;
            }
            Ok(Settled::Full) => return Err(Refusal::LogFull),
            Err(error) => {
                tracing::warn!(request = %arrival.id, %error, "a call is judged without redis");
                return Box::pin(outage::obtain(gateway, arrival, &found, ask, consent)).await;
            }
        }
    }
    Err(Refusal::Unsettled)
}

fn remember(gateway: &GatewayState, found: &Found, cacheable: bool) {
    if cacheable && !found.remembered {
        gateway.directory.remember(found);
    }
}

/// The grant as it stands now, if the token still is one of this server.
async fn reread(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    found: &Found,
    generation: u64,
) -> Result<Found, Refusal> {
    let view = gateway.directory.read(&found.view.token_hash).await?;
    let unknown = Refusal::Unauthenticated { sent: true, reason: "unknown token" };
    let found = Found { view: view.ok_or(unknown)?, generation, remembered: false };
    caller::admit(gateway, arrival, &found)?;
    Ok(found)
}

/// One judgement of a request, ready to be settled.
struct Attempt {
    judged: Judged,
    decision: Decision,
    record: Vec<u8>,
    charges: Vec<ledger::Charge>,
}

impl Attempt {
    fn new(arrival: &Arrival, found: &Found, ask: &Ask<'_>, judged: Judged) -> Result<Self, Refusal> {
        let decision = record::judged(arrival, &found.view, ask, &judged);
        let record = decision.to_bytes().map_err(|error| {
            tracing::error!(request = %arrival.id, %error, "a decision can't be recorded");
            Refusal::Internal
        })?;
        let charge = |charge| counter::charge(&found.view, ask.session, charge);
        let charges = judged.charges().iter().map(charge).collect();
        Ok(Self { judged, decision, record, charges })
    }

    fn settle<'a>(&'a self, found: &Found, fresh: Option<RedisTime>) -> Settle<'a> {
        Settle {
            tenant: found.view.tenant,
            decision: self.decision.id,
            epoch: found.view.epoch,
            generation: found.generation,
            fresh,
            charges: &self.charges,
            record: &self.record,
        }
    }

    fn taken(self, gateway: &GatewayState, arrival: &Arrival, found: &Found, consent: Consent) -> Ruling {
        match self.judged {
            Judged::Allow { .. } if !self.decision.forwards => {
                gateway.tell(arrival.trace, &self.decision, None);
                Ruling::Ours(Arc::clone(&found.view))
            }
            Judged::Allow { charges, .. } => {
                let mut open = Open::new(gateway.clone(), &self.decision, arrival.since);
                open.charged = !charges.is_empty();
                open.refund_on_error = refundable(&charges);
                open.tell_of(arrival.trace, self.decision);
                let (view, call) = (Arc::clone(&found.view), OpenCall::new(open));
                Ruling::Permit(Permit { view, call, approval: consent.spend() })
            }
            Judged::Refuse { outcome, refusal } => {
                gateway.tell(arrival.trace, &self.decision, None);
                let denial =
                    Denial::new(&found.view, self.decision.id, outcome, &refusal.rule, &refusal.message);
                Ruling::Denial(denial)
            }
            Judged::Pending { refusal, lives } => {
                gateway.tell(arrival.trace, &self.decision, None);
                Ruling::Denial(Denial::pending(&found.view, self.decision.id, &refusal, lives))
            }
        }
    }

    fn over(
        mut self,
        gateway: &GatewayState,
        arrival: &Arrival,
        found: &Found,
        index: usize,
        level: ledger::Level,
    ) -> Result<Ruling, Refusal> {
        let Some(charge) = self.judged.charges().get(index) else {
            tracing::error!(request = %self.decision.id, index, "the ledger names a limit that was not charged");
            return Err(Refusal::Internal);
        };
        let limit = &charge.limit;
        if gateway.parts.telemetry.is_some() {
            self.decision.rule = Some(limit.rule.to_string());
            self.decision.message = Some(limit.message.to_string());
            gateway.tell(arrival.trace, &self.decision, Some(&level));
        }
        let denial = Denial::new(&found.view, self.decision.id, Outcome::Limit, &limit.rule, &limit.message);
        // What is more than the limit holds will never fit.
        let fits = charge.amount_micros <= limit.max_micros;
        let until = level.resets_at - self.decision.decided_at;
        let wait = fits.then(|| until.num_milliseconds().div_euclid(1000) + 1);
        let of_all_calls = fits && limit.is_of_all_calls();
        Ok(Ruling::Denial(Denial { limit: Some(level), wait, of_all_calls, ..denial }))
    }
}

/// The places of the charges that a result with `isError: true` gives back.
fn refundable(charges: &[policy::Charge]) -> Vec<usize> {
    let marked = |(place, charge): (usize, &policy::Charge)| charge.limit.refund_on_error.then_some(place);
    charges.iter().enumerate().filter_map(marked).collect()
}
