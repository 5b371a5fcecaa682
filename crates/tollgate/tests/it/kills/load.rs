//! Calls and changes that go on whoever is killed, and what was told about them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{COUNTED, DENIED, FREE, SCARCE, Tenant, caller};

const CALLERS: usize = 24;
/// How long a caller leaves everybody alone after no answer came.
const BREATH: Duration = Duration::from_millis(10);

/// What was told.
#[derive(Debug, Default)]
pub struct Seen {
    /// Of decisions: the request's id, and whether the call was allowed.
    pub answers: Vec<(String, bool)>,
    /// Ids of grants that the API said it has minted.
    pub minted: Vec<String>,
}

/// Whoever calls and changes until told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<Seen>,
}

impl Load {
    pub fn start(tenants: &[Tenant], gateways: &[SocketAddr]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let calls = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        for number in 0..CALLERS {
            let tenant = tenants[number % tenants.len()].clone();
            tasks.spawn(call(tenant, gateways.to_vec(), Arc::clone(&calls), Arc::clone(&stop)));
        }
        for tenant in tenants {
            tasks.spawn(change(tenant.clone(), Arc::clone(&stop)));
        }
        Self { stop, tasks }
    }

    pub async fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for seen in self.tasks.join_all().await {
            all.answers.extend(seen.answers);
            all.minted.extend(seen.minted);
        }
        all
    }
}

async fn call(
    tenant: Tenant,
    gateways: Vec<SocketAddr>,
    calls: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Seen {
    let callers: Vec<_> =
        gateways.iter().map(|address| caller(&format!("http://{address}"), &tenant)).collect();
    let tools = [COUNTED, DENIED, FREE, COUNTED, SCARCE];
    let mut seen = Seen::default();
    while !stop.load(Ordering::Relaxed) {
        let number = calls.fetch_add(1, Ordering::Relaxed);
        let tool = tools[number % tools.len()];
        match callers[number % callers.len()].call_traced(tool, &tenant.trace(number)).await {
            Ok(answer) if answer.denied().is_some() => seen.answers.push((answer.request_id, false)),
            Ok(answer) if answer.allowed() => seen.answers.push((answer.request_id, true)),
            // Refused without a decision, or no whole answer.
            Ok(_) | Err(_) => sleep(BREATH).await,
        }
    }
    seen
}

/// Mints grants, and edits the policy without changing what it says.
async fn change(tenant: Tenant, stop: Arc<AtomicBool>) -> Seen {
    let mut seen = Seen::default();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let grant = json!({
            "label": format!("grant {number}"), "identity": "ada@example.com", "policy_id": tenant.policy,
        });
        let path = format!("/servers/{}/grants", tenant.server);
        match tenant.api.try_send(Method::POST, &path, Some(grant)).await {
            Ok((status, minted)) if status.is_success() => {
                seen.minted.push(minted["grant"]["id"].as_str().unwrap().to_owned());
            }
            Ok(_) | Err(_) => {}
        }
        sleep(BREATH * 5).await;
    }
    seen
}
