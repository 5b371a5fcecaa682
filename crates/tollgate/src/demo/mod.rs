//! `tollgate demo`: starts the demo upstream and the one binary, seeds an organisation through the public API, drives a
//! real MCP client through the gateway, prints what became of each call, and stays up until Ctrl-C.

mod agent;
mod api;
mod processes;
mod report;
mod seed;
mod state;
mod table;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use bytes::Bytes;
use domain::Secret;
use egress::EgressConfig;
use url::Url;
use vault::Entropy;

use self::agent::Agent;
use self::api::Api;
use self::processes::Process;
use self::state::State;
use crate::cli::DemoArgs;

/// The demo's own database and login role.
const DATABASE: &str = "tollgate_demo";
/// The port of the demo upstream, where it is free.
const UPSTREAM_PORT: u16 = 8490;

/// Runs the demo. The status says whether every call met what the policy says.
///
/// # Errors
/// Something does not start or does not answer; the message names it and its log.
pub async fn run(args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let state = State::open(&args.state, &Entropy::System)?;
    let egress = egress::Client::new(EgressConfig { allow_private: true, ..EgressConfig::default() })?;

    say("starting the demo upstream and Tollgate")?;
    let upstream_address = processes::free_address(UPSTREAM_PORT)?;
    let upstream = format!("http://{upstream_address}");
    let mut sim =
        Process::start("flowforge-sim", &processes::sibling("flowforge-sim")?, &args.state, |command| {
            command.args(["--listen", &upstream_address.to_string()])
        })?;
    sim.listens(upstream_address).await?;
    let (mut tollgate, url) = serve(args, &state, &format!("{upstream}/mcp")).await?;

    say("signing up, registering the server, writing a policy, minting a grant")?;
    let seeded =
        seed::run(&Api::new(egress.clone(), &url), &state.password, &format!("{upstream}/mcp")).await?;

    say("calling tools as an agent")?;
    let before = reached(&egress, &upstream).await?;
    let mcp = format!("{url}/mcp/{}", seeded.server);
    let agent = Agent::connect(&egress, &mcp, &seeded.token).await?;
    let seen = agent.tools().await?.len();
    let steps = agent::steps();
    for step in &steps {
        agent.call(step).await?;
    }
    let rows = report::rows(&seeded.api, &seeded.grant, steps.len()).await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "\n  The agent sees {seen} of the server's {} tools. Its calls, as the log has them:\n",
        seeded.tools
    )?;
    report::print(&mut out, &rows)?;

    let surprises = report::surprises(&steps, &rows, &since(&before, reached(&egress, &upstream).await?));
    for surprise in &surprises {
        writeln!(out, "\n  WRONG: {surprise}")?;
    }
    if args.once {
        return Ok(if surprises.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    write_what_to_try(&mut out, &url, &mcp, &seeded, &state.password, &args.state)?;
    tokio::select! {
        ended = sim.ended() => ended?,
        ended = tollgate.ended() => ended?,
        stop = tokio::signal::ctrl_c() => stop?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Migrates the demo's database and starts `tollgate serve` on it.
async fn serve(args: &DemoArgs, state: &State, upstream: &str) -> anyhow::Result<(Process, String)> {
    let (owner, application) = databases(&args.database_url, &state.database_password)?;
    storage::create_database(&owner).await.context("the demo's database can't be made")?;
    storage::migrate(&owner, &application).await.context("the demo's database can't be migrated")?;
    let address: SocketAddr = processes::free_address(args.port)?;
    let url = format!("http://localhost:{}", address.port());
    let program = std::env::current_exe().context("this program's own path is unknown")?;
    let mut process = Process::start("tollgate", &program, &args.state, |command| {
        command
            .arg("serve")
            .env("TOLLGATE_LISTEN", address.to_string())
            .env("TOLLGATE_URL", &url)
            .env("DATABASE_URL", &application)
            .env("REDIS_URL", &args.redis_url)
            .env("TOLLGATE_REDIS_NAMESPACE", DATABASE)
            .env("TOLLGATE_KEYS", &state.keys)
            .env("TOLLGATE_ALLOW_PRIVATE_UPSTREAMS", "true")
            .env("TOLLGATE_DEMO_UPSTREAM", upstream)
    })?;
    process.listens(address).await?;
    Ok((process, url))
}

/// The demo's database as its owner and as the application sees it.
fn databases(server_url: &str, password: &str) -> anyhow::Result<(String, String)> {
    let mut owner = Url::parse(server_url).context("DATABASE_URL is not an address")?;
    owner.set_path(DATABASE);
    let mut application = owner.clone();
    let set = application.set_username(DATABASE).and_then(|()| application.set_password(Some(password)));
    set.map_err(|()| anyhow::anyhow!("DATABASE_URL names no host"))?;
    Ok((owner.into(), application.into()))
}

/// How often each tool was called at the demo upstream, by its own log. What the gateway asks it by itself, to answer for hidden tools in its words, is
/// nobody's call.
async fn reached(egress: &egress::Client, upstream: &str) -> anyhow::Result<BTreeMap<String, usize>> {
    let request = http::Request::get(format!("{upstream}/__log")).body(Bytes::new())?;
    let answer = egress.send(request).await?.into_body().read(64 * 1024 * 1024).await?;
    let log: serde_json::Value = serde_json::from_slice(&answer)?;
    let counts = serde_json::from_value(log["counts"].clone());
    let mut counts: BTreeMap<String, usize> = counts.context("the demo upstream's log has no counts")?;
    counts.retain(|tool, _| !tool.starts_with("tollgate_no_such_tool_"));
    Ok(counts)
}

/// The counts that were added since `before`.
fn since(before: &BTreeMap<String, usize>, mut now: BTreeMap<String, usize>) -> BTreeMap<String, usize> {
    for (tool, count) in &mut now {
        *count -= before.get(tool).copied().unwrap_or(0);
    }
    now.retain(|_, count| *count > 0);
    now
}

fn say(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "demo: {what}")
}

fn write_what_to_try(
    out: &mut impl std::io::Write,
    url: &str,
    mcp: &str,
    seeded: &seed::Seeded,
    password: &str,
    logs: &Path,
) -> std::io::Result<()> {
    let token: &Secret<String> = &seeded.token;
    writeln!(
        out,
        "\n  Pages    {url}/o/{}\n  Log-in   {}\n  Password {}\n\n  Server   {mcp}\n  Grant    {}\n\n  Ctrl-C ends it. Logs are in {}.",
        seeded.slug,
        seed::EMAIL,
        password,
        token.expose(),
        logs.display(),
    )?;
    out.flush()
}
