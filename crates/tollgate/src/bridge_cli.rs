//! `tollgate bridge -- CMD`: a stdio MCP server as Streamable HTTP, until the process is told to stop.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use bridge::{Bridge, Settings};
use clap::Args;
use domain::Secret;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vault::Entropy;

use crate::config;
use crate::serve::told_to_stop;

/// What a server gets of the environment without being named: where programs, files and words are found. No secrets.
const INHERITED: [&str; 9] = ["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "USER"];
/// Characters of the shortest token that is taken.
const SHORTEST: usize = 24;
/// How long answers that are under way may take when the process is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// `tollgate bridge`.
#[derive(Args)]
pub struct BridgeArgs {
    /// The address to listen on
    #[arg(long, env = "TOLLGATE_BRIDGE_LISTEN", default_value = "127.0.0.1:8585", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// What callers send as `Authorization: Bearer`, best given in the environment; made and printed once when left out
    #[arg(long, env = "TOLLGATE_BRIDGE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
    /// A file whose first line is the token
    #[arg(long, env = "TOLLGATE_BRIDGE_TOKEN_FILE", conflicts_with = "token", value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A variable of the environment that the server gets, besides PATH, HOME and the like. May be given several times
    #[arg(long = "env", value_name = "NAME")]
    variables: Vec<String>,
    /// A host name that may be called, besides those of this machine. May be given several times
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// An origin whose pages may call. May be given several times
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// Seconds after which a session that nobody uses is ended
    #[arg(long, default_value_t = 1800, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    idle: u64,
    /// Sessions at once, each a process
    #[arg(long, default_value_t = 64, value_name = "N")]
    max_sessions: usize,
    /// Bytes of one message of the server
    #[arg(long, default_value_t = 16 * 1024 * 1024, value_name = "BYTES")]
    max_line: usize,
    /// The server's program and its arguments, after `--`
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

impl std::fmt::Debug for BridgeArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BridgeArgs").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl BridgeArgs {
    fn settings(&self) -> anyhow::Result<Settings> {
        let [program, arguments @ ..] = self.command.as_slice() else {
            bail!("no program is named: write it after `--`");
        };
        let mut settings = Settings::new(program.clone(), self.given_token()?);
        settings.arguments = arguments.to_vec();
        settings.environment = self.environment()?;
        settings.hosts.clone_from(&self.hosts);
        settings.origins.clone_from(&self.origins);
        settings.idle = Duration::from_secs(self.idle);
        settings.max_sessions = self.max_sessions;
        settings.max_line = self.max_line;
        Ok(settings)
    }

    /// The token that was given, or a new one, which is shown this once.
    fn given_token(&self) -> anyhow::Result<Secret<String>> {
        let given = match &self.token_file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("--token-file: {} can't be read", file.display()))?;
                Some(text.lines().next().unwrap_or_default().trim().to_owned())
            }
            None => self.token.clone(),
        };
        let Some(token) = given else {
            let token = bridge::generated_token(&Entropy::System);
            writeln!(std::io::stderr(), "The token of this run: {}", token.expose())?;
            return Ok(token);
        };
        ensure!(
            token.len() >= SHORTEST && token.bytes().all(|b| b.is_ascii_graphic()),
            "the token must be at least {SHORTEST} visible characters: make one with `openssl rand -hex 32`"
        );
        Ok(Secret::new(token))
    }

    fn environment(&self) -> anyhow::Result<Vec<(OsString, OsString)>> {
        let mut environment: Vec<_> =
            INHERITED.iter().filter_map(|name| Some((name.into(), config::variable(name)?))).collect();
        for name in &self.variables {
            let value = config::variable(name)
                .with_context(|| format!("--env {name}: it is not set: set it, or leave the flag out"))?;
            environment.push((name.into(), value));
        }
        Ok(environment)
    }
}

/// Serves until SIGTERM or Ctrl-C, then ends the server's processes.
///
/// # Errors
/// The arguments can't be used, or the address can't be listened on.
pub async fn run(args: &BridgeArgs) -> anyhow::Result<()> {
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("--listen: {} can't be listened on", args.listen))?;
    let bridge = Bridge::new(args.settings()?, Entropy::System);
    tracing::info!("serving at http://{}/mcp", listener.local_addr()?);
    if !args.listen.ip().is_loopback() {
        tracing::warn!("other machines can reach this address, and what they send is not encrypted");
    }
    let stopping = CancellationToken::new();
    let server = axum::serve(listener, bridge::router(bridge.clone()))
        .with_graceful_shutdown(stopping.clone().cancelled_owned());
    let serving = tokio::spawn(async move { server.await });
    let outcome = tokio::select! {
        stop = told_to_stop() => stop.map(drop),
        () = bridge.sweep() => Ok(()),
    };
    tracing::info!("stopping");
    stopping.cancel();
    // Ends what is waited for, so that the listener can finish.
    bridge.stop().await;
    if tokio::time::timeout(GRACE, serving).await.is_err() {
        tracing::warn!("some answers were still under way after {} s", GRACE.as_secs());
    }
    outcome
}
