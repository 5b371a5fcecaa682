//! What open streams depend on: a stream outlives the request that opened it, and must not outlive the right to it.
//!
//! Twice a second, one look at the epochs of all tenants with open streams in Redis, a read for each shard; only when one has
//! moved do that tenant's streams read their grants anew. Redis may miss a change whose writer died in between, or be away: so
//! Postgres is asked now and then, and instead, in one statement for all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::TenantId;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::directory::{Away, GrantView};
use crate::state::GatewayState;

/// How long streams stay open while nobody can say whether they may.
const UNSURE: Duration = Duration::from_mins(1);
/// Every so many looks at Redis, one at Postgres.
const THOROUGH: u32 = 20;
/// How long a look at Postgres may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What became of the grant behind a stream.
pub(crate) enum Lost {
    /// It works no longer, for this reason.
    Gone(&'static str),
    /// Its policy or server is another now.
    Changed(Arc<GrantView>),
}

/// What is known of a tenant's configuration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Known {
    epoch: u64,
    /// For too long, nothing.
    away: bool,
}

/// The tenants that are looked at.
#[derive(Default)]
pub(crate) struct Watchers(Mutex<HashMap<TenantId, Followed>>);

/// A tenant with open streams.
struct Followed {
    news: watch::Sender<Known>,
    /// When its epoch was last known for sure.
    sure: Instant,
}

impl Watchers {
    /// News of a tenant, from now on.
    fn follow(&self, gateway: &GatewayState, tenant: TenantId) -> watch::Receiver<Known> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.is_empty() {
            tokio::spawn(look(gateway.clone()));
        }
        let new = || Followed { news: watch::Sender::new(Known::default()), sure: Instant::now() };
        tenants.entry(tenant).or_insert_with(new).news.subscribe()
    }

    /// The tenants that somebody follows; those that nobody does any more are forgotten.
    fn followed(&self) -> Vec<TenantId> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.retain(|_, followed| followed.news.receiver_count() > 0);
        tenants.keys().copied().collect()
    }

    /// Tells what was found out of these tenants.
    fn tell(&self, found: impl Iterator<Item = (TenantId, Option<u64>)>) {
        let now = Instant::now();
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (tenant, epoch) in found {
            let Some(Followed { news, sure }) = tenants.get_mut(&tenant) else { continue };
            match epoch {
                Some(epoch) => {
                    *sure = now;
                    news.send_if_modified(|known| {
                        let newer = epoch > known.epoch || known.away;
                        *known = Known { epoch: epoch.max(known.epoch), away: false };
                        newer
                    });
                }
                None if now - *sure >= UNSURE => {
                    news.send_if_modified(|known| !std::mem::replace(&mut known.away, true));
                }
                None => {}
            }
        }
    }
}

/// Looks at the tenants for as long as somebody follows one.
async fn look(gateway: GatewayState) {
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = tokio::time::sleep(gateway.parts.settings.recheck) => {}
            () = gateway.ending.cancelled() => return,
        }
        let tenants = gateway.watchers.followed();
        if tenants.is_empty() {
            // Whoever follows from now on finds none, and starts another look.
            return;
        }
        looks = looks.wrapping_add(1);
        let thorough = looks.is_multiple_of(THOROUGH);
        let in_redis =
            if thorough { vec![None; tenants.len()] } else { gateway.parts.ledger.epochs(&tenants).await };
        let (known, unknown): (Vec<_>, Vec<_>) =
            tenants.into_iter().zip(in_redis).partition(|(_, epoch)| epoch.is_some());
        gateway.watchers.tell(known.into_iter());
        if !unknown.is_empty() {
            let unknown: Vec<TenantId> = unknown.into_iter().map(|(tenant, _)| tenant).collect();
            let found = in_postgres(&gateway, &unknown).await;
            // The last of all for a tenant that is gone.
            let epoch = |tenant: &TenantId| {
                found.as_ref().map(|found| found.get(tenant).copied().unwrap_or(u64::MAX))
            };
            gateway.watchers.tell(unknown.iter().map(|tenant| (*tenant, epoch(tenant))));
        }
    }
}

/// The epochs that are committed; nothing if Postgres does not say.
async fn in_postgres(gateway: &GatewayState, tenants: &[TenantId]) -> Option<HashMap<TenantId, u64>> {
    let reading = async { gateway.parts.storage.system().await?.config_epochs(tenants).await };
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(epochs)) => Some(epochs.into_iter().collect()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "open streams could not be looked after");
            None
        }
        Err(_) => None,
    }
}

/// Waits until a stream may not go on as it is, and says why. Never returns while it may.
pub(crate) async fn lost(gateway: GatewayState, view: Arc<GrantView>) -> Lost {
    let mut news = gateway.watchers.follow(&gateway, view.tenant);
    let mut current = Arc::clone(&view);
    let mut epoch = view.epoch;
    loop {
        let known = *news.borrow_and_update();
        if known.away {
            return Lost::Gone("the grant could not be looked at for a minute");
        }
        let over = current.refused(gateway.parts.clock.now()).is_some();
        if known.epoch > epoch || over {
            // In a box of its own: an open stream holds this future, and seldom reads.
            match Box::pin(gateway.directory.read(&view.token_hash)).await {
                Ok(Some(later)) => current = later,
                Ok(None) => return Lost::Gone("the token was replaced"),
                Err(Away) => {
                    tokio::time::sleep(gateway.parts.settings.recheck).await;
                    continue;
                }
            }
            epoch = known.epoch.max(current.epoch);
            if let Some(reason) = current.refused(gateway.parts.clock.now()) {
                return Lost::Gone(reason);
            }
            if !view.same_rules(&current) {
                return Lost::Changed(current);
            }
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() {
                // The gateway stops, which ends streams by itself.
                std::future::pending::<()>().await;
            },
            () = a_while(&gateway, &current) => {}
        }
    }
}

/// Until it is time to see whether the grant has expired.
async fn a_while(gateway: &GatewayState, view: &GrantView) {
    match view.expires_at {
        Some(_) => tokio::time::sleep(gateway.parts.settings.recheck).await,
        None => std::future::pending().await,
    }
}
