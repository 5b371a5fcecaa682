//! How it grows: 1, 2 and 4 gateways with the same load each, on one Redis and on a cluster of three.
//!
//! The load is paced, so that no program is ever short of processor time, and what is compared is what a call costs in
//! each program. It should stay the same however many gateways there are. Gateways are pinned to cores by turns; nine
//! organisations spread over the cluster's nodes. `scripts/bench scaling` builds in release, and starts the services.

mod report;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use testkit::{Api, Installation, Process, Program as Redis, RedisCluster, RedisServer};

use self::report::Report;
use crate::load::{self, Pace, Sample, Target};
use crate::report::say;
use crate::usage::{self, Program};
use crate::{TOOL, port_in, upstream};

const GATEWAYS: [usize; 3] = [1, 2, 4];
const ROUNDS: usize = 2;
const MEASURED: Duration = Duration::from_secs(8);
/// What each gateway is sent: far below what two cores can do, also with four of them.
const EACH: Pace = Pace { connections: 18, calls_per_second: 180 };
const ORGANISATIONS: usize = 9;

/// An installation on one kind of Redis.
struct Place {
    redis: &'static str,
    redis_ports: Vec<u16>,
    installation: Installation,
    control: Process,
    /// Path and token of each organisation.
    grants: Vec<(String, String)>,
}

/// Runs all of it and prints the table.
pub async fn run() {
    let binary = Path::new(env!("CARGO_BIN_EXE_tollgate"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let upstream = upstream::start(&binary.with_file_name("flowforge-sim")).await;
    let alone = RedisServer::start(Redis::Redis, folder, &["appendonly yes"]).await;
    let cluster = RedisCluster::start(Redis::Redis, folder, 0).await;
    let ports = cluster.nodes.iter().map(|node| node.port).collect();
    let places = [
        Place::open("alone", alone.url(), vec![alone.port], upstream.address).await,
        Place::open("cluster", cluster.url(), ports, upstream.address).await,
    ];
    let mut report = Report::new(ROUNDS, MEASURED);
    for round in 1..=ROUNDS {
        for gateways in GATEWAYS {
            for place in &places {
                say(&format!("round {round} of {ROUNDS}: {gateways} gateways, redis {}", place.redis));
                place.measure(gateways, upstream.address, &mut report).await;
            }
        }
    }
    report.print();
    report.save(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench"));
    assert!(
        report.all_answered(),
        "some calls were not answered as they should: the numbers are worth nothing"
    );
}

impl Place {
    async fn open(
        redis: &'static str,
        redis_url: String,
        redis_ports: Vec<u16>,
        upstream: SocketAddr,
    ) -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_tollgate"));
        let installation = Installation::of(binary, Path::new(env!("CARGO_TARGET_TMPDIR"))).await;
        let installation = installation.over_redis(redis_url);
        let control = installation.serve(&["control", "audit"]).await;
        let mut grants = Vec::new();
        for number in 0..ORGANISATIONS {
            grants.push(organisation(number, &control.url, upstream).await);
        }
        Self { redis, redis_ports, installation, control, grants }
    }

    /// Starts so many gateways, and sends each the same load.
    async fn measure(&self, gateways: usize, upstream: SocketAddr, report: &mut Report) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut processes = Vec::new();
        for number in 0..gateways {
            processes.push(self.installation.serve_on(&["gateway"], Some(number % cores)).await);
        }
        let ports: Vec<u16> = processes.iter().map(|process| address(process).port()).collect();
        let watched = [
            Program::behind_any("gateways", &ports),
            Program::behind_any("redis", &self.redis_ports),
            Program::behind("drain", address(&self.control).port()),
            Program::behind("postgres", port_in("DATABASE_URL")),
            Program::behind("upstream", upstream.port()),
        ];
        let targets = processes.iter().map(|process| {
            let target =
                |(path, token): &(String, String)| Target::new("gateway", address(process), path, token);
            self.grants.iter().map(target).collect::<Vec<_>>()
        });
        let targets: Vec<Vec<Target>> = targets.collect();
        // Connections, caches and pools are warm before anything is counted.
        let warm = targets.iter().map(|targets| load::paced(targets, EACH, Duration::ZERO));
        futures_util::future::join_all(warm).await;
        let before = usage::of(&watched);
        let loads = targets.iter().map(|targets| load::paced(targets, EACH, MEASURED));
        let mut all = Sample::default();
        for one in futures_util::future::join_all(loads).await {
            all.add(one);
        }
        report.add(self.redis, gateways, all, &usage::since(&before, &watched));
    }
}

/// Signs one up whose calls are really judged and counted: the path and the token.
async fn organisation(number: usize, control: &str, upstream: SocketAddr) -> (String, String) {
    let api = Api::sign_up_as(control, &format!("ada{number}@example.com"), "Acme").await;
    let server = api.register("Flowforge", &format!("http://{upstream}/mcp/json"), &[]).await;
    let document = json!({
        "version": "1", "default": "deny", "hide": ["flowforge_delete_*"],
        "tools": {
            TOOL: {
                "require": [{ "path": "args.run_id", "op": "regex", "value": "^[A-Za-z0-9_-]{1,64}$" }],
                "limits": [{ "counter": "reads", "window": "hour", "max": 1_000_000_000, "scope": "server" }],
            },
        },
    });
    let policy = api.policy(&server, "bench", &document).await;
    let grant = api.mint(&server, &policy, "bench").await;
    (format!("/mcp/{server}"), grant.token)
}

fn address(process: &Process) -> SocketAddr {
    process.url.trim_start_matches("http://").parse().unwrap()
}
