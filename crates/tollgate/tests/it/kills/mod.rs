//! `kill -9` at random moments, of everything: gateways, drains, the API, Redis, Postgres, while calls and changes go on.
//! Afterwards the books are balanced.
//!
//! `make test` kills hundreds; `scripts/kills 3000` as many as are asked for.

mod books;
mod load;
mod victims;

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use testkit::{Api, Grant, Installation, Keeps, Store, free_address};

use self::load::Load;
use self::victims::{Chances, Role};
use crate::caller::Caller;
use crate::upstream_log::UpstreamLog;

/// Kills of a run that is not told how many.
const KILLS: usize = 300;
/// Organisations, so that several shards are in use.
const TENANTS: usize = 6;

/// What each tool stands for.
pub const COUNTED: &str = "flowforge_health_check";
pub const SCARCE: &str = "flowforge_list_runs";
pub const FREE: &str = "flowforge_list_functions";
pub const DENIED: &str = "flowforge_send_event";
/// Calls of the scarce tool that each organisation has.
pub const SCARCE_MAX: i64 = 40;

/// An organisation of the run.
#[derive(Clone)]
pub struct Tenant {
    pub number: usize,
    pub api: Api,
    pub server: String,
    pub policy: String,
    pub grant: Grant,
}

impl Tenant {
    /// A new one, by the API at `url`.
    pub async fn new(url: &str, upstream: &str, number: usize) -> Self {
        let api = Api::sign_up_as(url, &format!("ada{number}@example.com"), &format!("Acme {number}")).await;
        let server = api.register("Flowforge", upstream, &[]).await;
        let limit = |counter: &str, max: i64| json!({ "limits": [{ "counter": counter, "window": "month", "align": "calendar", "max": max }] });
        let document = json!({ "version": "1", "default": "deny", "tools": {
            COUNTED: limit("counted", 1_000_000), SCARCE: limit("scarce", SCARCE_MAX), FREE: {},
        } });
        let policy = api.policy(&server, "load", &document).await;
        let grant = api.mint(&server, &policy, "load").await;
        Self { number, api, server, policy, grant }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_of_anything_loses_doubles_and_forgets_nothing() {
    let kills = testkit::environment("TOLLGATE_KILLS").ok().and_then(|count| count.parse().ok());
    let kills = kills.unwrap_or(KILLS);
    let (postgres, redis) = tokio::join!(Store::postgres(), Store::redis(Keeps::Everything));
    let (postgres, redis) = (Arc::new(postgres), Arc::new(redis));
    let (binary, logs) = (Path::new(env!("CARGO_BIN_EXE_tollgate")), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let installation = Arc::new(Installation::on(binary, logs, &postgres, &redis).await);
    let upstream = UpstreamLog::start().await;
    let address = free_address();
    let mut control = installation.start(&["control"], address);
    control.ready().await;
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        tenants.push(Tenant::new(&control.url, upstream.url(), number).await);
    }
    control.kill().await;

    let chances = Chances::new(kills);
    let gateways = [free_address(), free_address(), free_address()];
    let load = Load::start(&tenants, &gateways);
    let kill = |role, address| chances.kill_processes(Arc::clone(&installation), role, address);
    tokio::join!(
        kill(Role::Gateway, gateways[0]),
        kill(Role::Gateway, gateways[1]),
        kill(Role::Gateway, gateways[2]),
        kill(Role::Audit, free_address()),
        kill(Role::Audit, free_address()),
        kill(Role::Control, address),
        chances.kill_store(&redis, 300..2000),
        chances.kill_store(&postgres, 1500..4000),
    );
    let seen = load.stop().await;
    chances.report(seen.answers.len(), upstream.calls());

    let (gateway, _drain) = tokio::join!(installation.serve(&["gateway"]), installation.serve(&["audit"]));
    for tenant in &tenants {
        let last = books::last_call(&gateway.url, tenant).await;
        books::check(&installation, tenant, &last, &seen, &upstream).await;
    }
    books::check_changes(&installation, &seen).await;
    assert!(seen.answers.len() > kills / 2, "too few calls were answered for the kills to meet any");
}

impl Tenant {
    /// A trace for each call, so that what reached the upstream can be told apart.
    pub fn trace(&self, call: usize) -> String {
        format!("{}{call:024x}", self.traces())
    }

    /// What the traces of its calls begin with.
    pub fn traces(&self) -> String {
        format!("{:08x}", self.number + 1)
    }
}

/// A caller of a tenant at a gateway.
pub fn caller(gateway: &str, tenant: &Tenant) -> Caller {
    Caller::new(gateway, &tenant.server, &tenant.grant.token)
}
