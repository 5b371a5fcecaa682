//! The gateway in front of `flowforge-sim`, against nginx as a plain reverse proxy to it, and against nothing in between.
//!
//! One run, one machine, rounds by turns, so that whatever else the machine does meets all alike. Every gateway call is
//! judged, takes from a limit in Redis, is recorded, and its row is drained into Postgres meanwhile: what a user gets.
//! All of it, the caller included, shares the machine's cores. `make bench` builds in release, and starts the services.
//! A part of it, to look at with a profiler: `scripts/bench gateway --target gateway --concurrency 64 --rounds 1 --seconds 20`.

#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to say")]

mod load;
mod nginx;
mod report;
mod scaling;
mod upstream;
mod usage;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::Parser as _;
use serde_json::json;
use testkit::{Api, Installation};

use crate::load::Target;
use crate::report::Report;
use crate::usage::Program;

const TOOL: &str = "flowforge_get_run";
const RUN: &str = "run-0001";

/// What is measured: by default all of it.
#[derive(clap::Parser)]
struct Options {
    /// `scaling`: how cost grows with gateways, instead.
    #[arg(value_parser = ["scaling"])]
    what: Option<String>,
    /// Connections that call at the same time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    concurrency: Vec<usize>,
    /// Who is called: `upstream`, `nginx`, `gateway`.
    #[arg(long, value_delimiter = ',', default_values_t = ["upstream", "nginx", "gateway"].map(str::to_owned))]
    target: Vec<String>,
    /// Turns.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// How long each is measured.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    // One thread for the caller, so that it takes no more than one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if options.what.is_some() {
        runtime.block_on(scaling::run());
    } else {
        runtime.block_on(run(&options));
    }
}

async fn run(options: &Options) {
    let binary = Path::new(env!("CARGO_BIN_EXE_tollgate"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let upstream = upstream::start(&binary.with_file_name("flowforge-sim")).await;
    let nginx = nginx::start(folder, upstream.address).await;
    let installation = Installation::of(binary, folder).await;
    let gateway = installation.serve(&[]).await;
    let (path, token) = prepare(&gateway.url, upstream.address).await;

    let address: SocketAddr = gateway.url.trim_start_matches("http://").parse().unwrap();
    let mut targets = vec![
        Target::new("upstream", upstream.address, "/mcp/json", &token),
        Target::new("nginx", nginx.address, "/mcp/json", &token),
        Target::new("gateway", address, &path, &token),
    ];
    targets.retain(|target| options.target.iter().any(|name| name == target.name));
    let watched = [
        Program::behind("gateway", address.port()),
        Program::behind("nginx", nginx.address.port()),
        Program::behind("upstream", upstream.address.port()),
        Program::behind("redis", port_in("REDIS_URL")),
        Program::behind("postgres", port_in("DATABASE_URL")),
    ];
    let (rounds, measured) = (options.rounds, Duration::from_secs(options.seconds));
    let mut report = Report::new(rounds, measured);
    for round in 1..=rounds {
        for &concurrency in &options.concurrency {
            for target in &targets {
                report::say(&format!(
                    "round {round} of {rounds}: {} at concurrency {concurrency}",
                    target.name
                ));
                let before = usage::of(&watched);
                let sample = load::run(target, concurrency, measured).await;
                report.add(concurrency, target.name, sample, &usage::since(&before, &watched));
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

/// Registers the upstream and mints a grant whose calls are really judged and counted: the path and the token.
async fn prepare(gateway: &str, upstream: SocketAddr) -> (String, String) {
    let api = Api::sign_up(gateway).await;
    let server = api.register("Flowforge", &format!("http://{upstream}/mcp/json"), &[]).await;
    let document = json!({
        "version": "1", "default": "deny", "hide": ["flowforge_delete_*"],
        "tools": {
            TOOL: {
                "require": [{ "path": "args.run_id", "op": "regex", "value": "^[A-Za-z0-9_-]{1,64}$" }],
                "deny_if": [{ "conditions": [{ "path": "args.run_id", "op": "in", "value": ["run-9998", "run-9999"] }] }],
                "limits": [{ "counter": "reads", "window": "hour", "max": 1_000_000_000, "scope": "server" }],
            },
            "flowforge_list_*": {},
        },
    });
    let policy = api.policy(&server, "bench", &document).await;
    let grant = api.mint(&server, &policy, "bench").await;
    (format!("/mcp/{server}"), grant.token)
}

/// The port in a service's address.
fn port_in(variable: &str) -> u16 {
    let address = testkit::environment(variable).unwrap();
    url::Url::parse(&address).unwrap().port().unwrap()
}
