//! Judging while Redis is away: by what Postgres says at this very moment, with the decision written there before anything
//! is forwarded. What must be counted can't be, so a call with a limit is denied.

use std::sync::Arc;

use domain::Outcome;
use policy::Refusal as Rule;

use super::{Permit, Ruling, reread};
use crate::approval::Consent;
use crate::arrival::Arrival;
use crate::close::{Open, OpenCall};
use crate::denial::Denial;
use crate::directory::Found;
use crate::judge::{Ask, Judged};
use crate::record;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// As [`super::obtain`], without the ledger.
pub(super) async fn obtain(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    found: &Found,
    ask: &Ask<'_>,
    mut consent: Consent,
) -> Result<Ruling, Refusal> {
    let found = reread(gateway, arrival, found, found.generation).await?;
    let mut judged = consent.judge(&found.view, arrival, ask).await?;
    if judged.charges().iter().any(|charge| !charge.shadow) {
        judged = Judged::Refuse { outcome: Outcome::Deny, refusal: limits_unavailable() };
    }
    let decision = record::judged(arrival, &found.view, ask, &judged);
    audit::record_direct(&gateway.parts.storage, &decision).await.map_err(|error| {
        tracing::error!(request = %arrival.id, %error, "a decision can't be recorded anywhere");
        Refusal::Unavailable
    })?;
    gateway.parts.metrics.decided(decision.outcome, arrival.since);
    Ok(match judged {
        Judged::Allow { .. } if !decision.forwards => {
            gateway.tell(arrival.trace, &decision, None);
            Ruling::Ours(found.view)
        }
        Judged::Allow { .. } => {
            let mut open = Open::new(gateway.clone(), &decision, arrival.since);
            open.direct = true;
            open.tell_of(arrival.trace, decision);
            let (view, call) = (Arc::clone(&found.view), OpenCall::new(open));
            Ruling::Permit(Permit { view, call, approval: consent.spend() })
        }
        Judged::Refuse { outcome, refusal } => {
            gateway.tell(arrival.trace, &decision, None);
            Ruling::Denial(Denial::new(&found.view, decision.id, outcome, &refusal.rule, &refusal.message))
        }
        Judged::Pending { refusal, lives } => {
            gateway.tell(arrival.trace, &decision, None);
            Ruling::Denial(Denial::pending(&found.view, decision.id, &refusal, lives))
        }
    })
}

fn limits_unavailable() -> Rule {
    Rule {
        rule: "(limits unavailable)".into(),
        message: "the limits of this call can't be checked now: try again later".into(),
        conditions: Vec::new(),
    }
}
