//! What open streams depend on: a stream outlives the request that opened it, and must not outlive the right to it.
//!
//! One look for each tenant with open streams, twice a second, at the epoch of its configuration in Redis; only when that has
//! moved does each stream read its grant anew. Redis may miss a change whose writer died in between, or be away: so Postgres
//! is asked now and then, and instead.

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
pub(crate) struct Watchers(Mutex<HashMap<TenantId, watch::Sender<Known>>>);

impl Watchers {
    /// News of a tenant, from now on.
    fn follow(&self, gateway: &GatewayState, tenant: TenantId) -> watch::Receiver<Known> {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = tenants.get(&tenant) {
            return sender.subscribe();
        }
        let (sender, receiver) = watch::channel(Known::default());
        tenants.insert(tenant, sender.clone());
        tokio::spawn(look(gateway.clone(), tenant, sender));
        receiver
    }

    /// Forgets a tenant that nobody follows any more.
    fn is_left(&self, tenant: TenantId, sender: &watch::Sender<Known>) -> bool {
        let mut tenants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = sender.receiver_count() == 0;
        if left {
            tenants.remove(&tenant);
        }
        left
    }
}

/// Looks at one tenant for as long as somebody follows it.
async fn look(gateway: GatewayState, tenant: TenantId, sender: watch::Sender<Known>) {
    let mut sure = Instant::now();
    let mut looks = 0_u32;
    loop {
        tokio::select! {
            () = tokio::time::sleep(gateway.parts.settings.recheck) => {}
            () = gateway.stopping.cancelled() => return,
        }
        if gateway.watchers.is_left(tenant, &sender) {
            return;
        }
        looks = looks.wrapping_add(1);
        let in_redis = match gateway.parts.ledger.epoch(tenant).await {
            Ok(epoch) if !looks.is_multiple_of(THOROUGH) => epoch,
            Ok(_) | Err(_) => None,
        };
        let epoch = match in_redis {
            Some(epoch) => Some(epoch),
            None => in_postgres(&gateway, tenant).await,
        };
        match epoch {
            Some(epoch) => {
                sure = Instant::now();
                sender.send_if_modified(|known| {
                    let news = epoch > known.epoch || known.away;
                    *known = Known { epoch: epoch.max(known.epoch), away: false };
                    news
                });
            }
            None if sure.elapsed() >= UNSURE => {
                sender.send_if_modified(|known| !std::mem::replace(&mut known.away, true));
            }
            None => {}
        }
    }
}

/// The epoch that is committed; the last of all for a tenant that is gone.
async fn in_postgres(gateway: &GatewayState, tenant: TenantId) -> Option<u64> {
    let reading = async { gateway.parts.storage.system().await?.config_epoch(tenant).await };
    match tokio::time::timeout(PATIENCE, reading).await {
        Ok(Ok(epoch)) => Some(epoch.unwrap_or(u64::MAX)),
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
            match gateway.directory.read(&view.token_hash).await {
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
