//! The demo upstream as a program: flags, a socket, and an end on Ctrl-C or SIGTERM.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use axum::serve::{Listener as _, ListenerExt as _};
use clap::Parser;
use flowforge_sim::{Engine, Options, router};
use http::{HeaderName, HeaderValue};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// A workflow engine of 49 tools behind MCP, with the same data at every start. For demos and tests.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one, which the first log line names
    #[arg(long, default_value = "127.0.0.1:8490", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Tools on a page of tools/list
    #[arg(long, default_value_t = 20, value_name = "N")]
    page: usize,
    /// A header that every MCP request must carry, such as `X-Api-Key: secret`
    #[arg(long, value_name = "HEADER", value_parser = header)]
    require: Option<(HeaderName, HeaderValue)>,
    /// A name besides the loopback ones that clients may call this host by; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
}

fn header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let Some((name, value)) = text.split_once(':') else { bail!("write it as `Name: value`") };
    let mut value = HeaderValue::from_str(value.trim())?;
    value.set_sensitive(true);
    Ok((HeaderName::from_bytes(name.trim().as_bytes())?, value))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
    let options = Options { page: arguments.page, key: arguments.require, hosts: arguments.hosts };
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("{} can't be listened on", arguments.listen))?;
    // The end of a stream is sent at once, not when what came before is acknowledged. A socket that can't is one that is gone.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    tracing::info!("flowforge-sim listens on http://{}/mcp", listener.local_addr()?);
    let mut end = signal(SignalKind::terminate())?;
    // Streams stay open as long as their clients like, so the end does not wait for them.
    tokio::select! {
        result = axum::serve(listener, router(Engine::new(), options)) => result.context("the server ended"),
        _ = tokio::signal::ctrl_c() => Ok(()),
        _ = end.recv() => Ok(()),
    }
}
