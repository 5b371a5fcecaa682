//! Whole processes on a Redis Cluster and behind sentinels: limits are shared exactly, a primary is killed while calls run, its
//! tenants recover by themselves, and the books balance.

mod books;
mod load;

use std::path::Path;

use futures_util::future::join_all;
use ledger::Shard;
use serde_json::json;
use testkit::{Installation, Process, Program, RedisCluster, RedisSentinels, RedisServer, eventually};
use uuid::Uuid;

use self::load::{Load, Phase};
use crate::caller::{Answer, Caller};
use crate::kills::{COUNTED, FREE, SCARCE, SCARCE_MAX, Tenant, caller};
use crate::upstream_log::UpstreamLog;

/// Primaries of a cluster.
const PRIMARIES: usize = 3;
/// So many organisations are on all of three nodes, but in one of a hundred thousand runs.
const MOST_TENANTS: usize = 32;
/// Calls of each organisation that are waited for.
const SOME: usize = 30;
/// Patient, so that no call is refused because the machine is slow.
const SETTINGS: [(&str, &str); 1] = [("TOLLGATE_REDIS_TIMEOUT", "5000")];

/// Two gateways, a control and a drain.
struct House {
    installation: Installation,
    upstream: UpstreamLog,
    control: Process,
    gateways: [Process; 2],
    _drain: Process,
    tenants: Vec<Tenant>,
    /// Of each tenant one at each gateway.
    callers: Vec<[Caller; 2]>,
}

impl House {
    async fn new(redis: String) -> Self {
        let (binary, logs) =
            (Path::new(env!("CARGO_BIN_EXE_tollgate")), Path::new(env!("CARGO_TARGET_TMPDIR")));
        let installation = Installation::of(binary, logs).await.over_redis(redis);
        let start = |role| installation.serve_with(role, &SETTINGS);
        let (control, drain, one, two) =
            tokio::join!(start(&["control"]), start(&["audit"]), start(&["gateway"]), start(&["gateway"]));
        let upstream = UpstreamLog::start().await;
        let gateways = [one, two];
        let (tenants, callers) = (Vec::new(), Vec::new());
        Self { installation, upstream, control, gateways, _drain: drain, tenants, callers }
    }

    /// One more organisation: the shard that it lives in.
    async fn welcome(&mut self) -> Shard {
        let tenant = Tenant::new(&self.control.url, self.upstream.url(), self.tenants.len()).await;
        let query = sqlx::query_scalar("SELECT tenant_id FROM servers WHERE id = $1::uuid");
        let id: Uuid =
            query.bind(&tenant.server).fetch_one(&mut self.installation.owner().await).await.unwrap();
        self.callers.push(self.gateways.each_ref().map(|gateway| caller(&gateway.url, &tenant)));
        self.tenants.push(tenant);
        Shard::of(id.into())
    }

    /// What each gateway answers to a call.
    async fn ask(&self, tenant: &Tenant, tool: &str) -> Vec<Answer> {
        let arguments = json!({});
        let calls = self.callers[tenant.number].iter().map(|caller| caller.call(tool, &arguments));
        join_all(calls).await.into_iter().map(Result::unwrap).collect()
    }

    /// Uses up what each organisation has of the scarce tool, over both gateways at once.
    async fn use_up(&self) {
        for tenant in &self.tenants {
            let free = self.ask(tenant, FREE).await;
            assert!(free.iter().all(Answer::allowed), "{free:?}");
            let rounds = (0..SCARCE_MAX).map(|_| self.ask(tenant, SCARCE));
            let answers: Vec<Answer> = join_all(rounds).await.into_iter().flatten().collect();
            let allowed = answers.iter().filter(|answer| answer.allowed()).count();
            assert_eq!(i64::try_from(allowed).unwrap(), SCARCE_MAX, "a limit is shared exactly: {answers:?}");
        }
    }

    /// Waits until both gateways answer calls of these organisations so.
    async fn answer(&self, what: &str, lost: &[bool], tool: &str, so: impl Fn(&Answer) -> bool) {
        for (tenant, _) in self.tenants.iter().zip(lost).filter(|(_, lost)| **lost) {
            eventually(what, async || self.ask(tenant, tool).await.iter().all(&so).then_some(())).await;
        }
    }

    /// Kills `primary` while calls run. `hold(true)` keeps its replica from being promoted until `hold(false)`; `lost` are the
    /// organisations whose keys it has.
    async fn survives(
        &self,
        primary: &mut RedisServer,
        replica: &RedisServer,
        lost: &[bool],
        hold: impl AsyncFn(bool),
    ) {
        self.use_up().await;
        let load = Load::start(&self.tenants, &self.gateways);
        load.goes_on(lost, |_| true, SOME).await;
        // What was answered until now the replica has, too; what comes between may be lost with the primary.
        load.enter(Phase::Between).await;
        in_step(primary, replica).await;
        hold(true).await;
        primary.kill().await;

        self.answer("limits that deny", lost, COUNTED, |told| told.denied() == Some("(limits unavailable)"))
            .await;
        self.answer("calls that Postgres judges", lost, FREE, Answer::allowed).await;
        // Longer than a cluster takes to find that slots of it are not covered.
        load.goes_on(lost, |lost| !lost, SOME * 5).await;

        hold(false).await;
        self.answer("calls that are counted again", lost, COUNTED, Answer::allowed).await;
        load.enter(Phase::After).await;
        load.goes_on(lost, |_| true, SOME).await;
        let seen = load.stop().await;
        for (tenant, lost) in self.tenants.iter().zip(lost) {
            let final_id = books::last_call(&self.gateways[0].url, tenant).await;
            books::check(self, tenant, &seen[tenant.number], *lost, &final_id).await;
        }
    }
}

/// Waits until the replica has what the primary has written until now.
async fn in_step(primary: &RedisServer, replica: &RedisServer) {
    let written = async |server: &RedisServer, name: &str| {
        let info = server.ask(&["INFO", "replication"]).await;
        info.lines().find_map(|line| line.trim().strip_prefix(name)?.parse::<u64>().ok())
    };
    let wanted = written(primary, "master_repl_offset:").await.unwrap();
    eventually("a replica in step", async || {
        (written(replica, "slave_repl_offset:").await? >= wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_of_a_cluster_is_killed_and_only_its_tenants_notice() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut cluster = RedisCluster::start(Program::Redis, folder, 1).await;
    for node in &cluster.nodes {
        node.tell(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]).await;
    }
    let mut house = House::new(cluster.url()).await;
    let mut holders = Vec::new();
    while (0..PRIMARIES).any(|node| !holders.contains(&node)) {
        assert!(holders.len() < MOST_TENANTS, "all organisations are on these nodes: {holders:?}");
        let key = house.welcome().await.to_string();
        let slot = cluster.nodes[0].ask(&["CLUSTER", "KEYSLOT", &key]).await.parse().unwrap();
        holders.push(cluster.holder(slot).await);
    }
    let killed = holders[0];
    let lost: Vec<bool> = holders.iter().map(|holder| *holder == killed).collect();
    let (primaries, replicas) = cluster.nodes.split_at_mut(PRIMARIES);
    let replica = &replicas[killed];
    let hold = async |held: bool| {
        let held = if held { "yes" } else { "no" };
        replica.tell(&["CONFIG", "SET", "cluster-replica-no-failover", held]).await;
    };
    house.survives(&mut primaries[killed], replica, &lost, hold).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_behind_sentinels_is_killed_and_calls_go_on_by_themselves() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let redis = RedisSentinels::start(Program::Redis, folder).await;
    let mut house = House::new(redis.url()).await;
    for _ in 0..3 {
        house.welcome().await;
    }
    let RedisSentinels { mut servers, sentinels } = redis;
    let (primary, replicas) = servers.split_at_mut(1);
    let hold = async |held: bool| {
        let down_after = if held { "600000" } else { "1500" };
        for sentinel in &sentinels {
            let name = RedisSentinels::PRIMARY;
            sentinel.tell(&["SENTINEL", "SET", name, "down-after-milliseconds", down_after]).await;
        }
    };
    house.survives(&mut primary[0], &replicas[0], &[true; 3], hold).await;
}
