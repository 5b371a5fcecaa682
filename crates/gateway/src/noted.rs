//! Requests that no policy could judge, written down all the same: one row a minute for each server, address and reason, so
//! that a flood can't fill the log.
//!
//! The row of a request without a grant is written behind the answer's back. An answer must not take longer for a server
//! that exists than for one that does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Timelike, Utc};
use domain::{DecisionId, Outcome, ServerId, TenantId};
use ledger::{Appended, Once};
use tokio::sync::Semaphore;

use crate::arrival::Arrival;
use crate::record;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// Seconds that one row stands for.
const SPAN: u32 = 60;
/// Rows written at once; beyond it a flood goes uncounted.
const AT_ONCE: usize = 32;
/// Servers whose tenant is remembered.
const MOST: usize = 10_000;

/// What is kept between refusals.
pub(crate) struct Noted {
    /// A server never changes its tenant, so this is never out of date; a server that is gone has no calls left.
    tenants: Mutex<HashMap<ServerId, TenantId>>,
    seats: Arc<Semaphore>,
}

impl Default for Noted {
    fn default() -> Self {
        Self { tenants: Mutex::default(), seats: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// Writes a refusal down, if it is one that the log shows. Returns when that is done for a caller with a grant, else at
/// once.
pub(crate) async fn note(gateway: &GatewayState, arrival: &Arrival, refusal: &Refusal) {
    let Some((outcome, reason)) = refusal.record() else { return };
    let Ok(seat) = Arc::clone(&gateway.noted.seats).try_acquire_owned() else { return };
    let writing = {
        let (gateway, arrival) = (gateway.clone(), arrival.clone());
        async move {
            write(&gateway, &arrival, outcome, reason).await;
            drop(seat);
        }
    };
    let task = gateway.background.spawn(writing);
    if arrival.view.is_some() && outcome != Outcome::Unauthenticated {
        let _ = task.await;
    }
}

async fn write(gateway: &GatewayState, arrival: &Arrival, outcome: Outcome, reason: &str) {
    let tenant = match &arrival.view {
        Some(view) => Some(view.tenant),
        None => gateway.tenant_of(arrival.server).await,
    };
    let Some(tenant) = tenant else { return };
    let key = key(arrival, reason);
    let mut decision = record::refused(arrival, tenant, outcome, reason);
    let Ok(bytes) = decision.to_bytes() else { return };
    let once = Once { same: key, seconds: SPAN, decision: decision.id };
    let appended = gateway.parts.ledger.append(tenant, &bytes, Some(once)).await;
    if !matches!(appended, Ok(Appended::Repeated)) {
        gateway.tell(arrival.trace, &decision, None);
    }
    if let Err(error) = appended {
        tracing::warn!(%error, "a refusal is written down without redis");
        // The same id for the whole minute, so that Postgres takes one row of it.
        decision.decided_at = minute(decision.decided_at);
        decision.id = DecisionId::v7(decision.decided_at, std::array::from_fn(|at| key[at]));
        if let Err(error) = audit::record_direct(&gateway.parts.storage, &decision).await {
            tracing::error!(%error, "a refusal could not be written down");
        }
    }
}

fn key(arrival: &Arrival, reason: &str) -> [u8; 32] {
    let address = arrival.address.map(|address| address.to_string()).unwrap_or_default();
    vault::sha256(format!("{} {address} {reason}", arrival.server).as_bytes())
}

fn minute(at: DateTime<Utc>) -> DateTime<Utc> {
    at.with_second(0).and_then(|at| at.with_nanosecond(0)).unwrap_or(at)
}

impl GatewayState {
    /// The tenant of a server, if there is such a server and Postgres answers.
    async fn tenant_of(&self, server: ServerId) -> Option<TenantId> {
        let known = self.noted.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(&server).copied();
        if known.is_some() {
            return known;
        }
        let mut tx = self.parts.storage.system().await.ok()?;
        let tenant = tx.tenant_of_server(server).await.ok()??;
        let mut tenants = self.noted.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= MOST {
            tenants.clear();
        }
        tenants.insert(server, tenant);
        Some(tenant)
    }
}
