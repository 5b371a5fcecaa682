//! `tollgate serve`: the parts that were asked for, behind one listener, until the process is told to stop.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use audit::Drain;
use axum::Router;
use axum::http::StatusCode;
use gateway::GatewayState;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::aside::Aside;
use crate::cli::ServeRole;
use crate::config::ServeConfig;
use crate::health::{self, Health};
use crate::otlp::{self, Sending};
use crate::parts::Parts;
use crate::proxies::Proxies;
use crate::server::{self, Front, Patience, Stop};
use crate::startup;
use crate::threads::Threads;

/// How long the endings of calls may take to be written down: as long as all attempts at one do.
const CLOSINGS: Duration = Duration::from_secs(8);
/// How long the drain may take to finish the batch at hand.
const BATCH: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or Ctrl-C, then lets running calls end.
///
/// # Errors
/// The configuration can't be used, the address can't be listened on, or the database is not fit to be used.
pub async fn run(config: &ServeConfig) -> anyhow::Result<()> {
    // The first to begin and the last to end: connections to the stores may be of theirs.
    let threads = Arc::new(Threads::start(config.threads())?);
    let parts = Parts::build(config, &threads.runtimes())?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} can't be listened on", config.listen))?;
    tracing::info!("listening on {}, called {}", listener.local_addr()?, config.url);

    let (telemetry, sending) = otlp::open(&config.otlp, &parts.metrics.registry)?.unzip();
    let sending = sending.map(Sending::start);
    let (stop, last) = (Stop::default(), CancellationToken::new());
    let gateway = config.serves(ServeRole::Gateway).then(|| parts.gateway(config, telemetry)).transpose()?;
    let health = parts.health(&stop);
    let app = routes(config, &parts, &health, gateway.clone())?;
    if let Some(address) = config.metrics_listen {
        parts.metrics.clone().of_gateway(gateway.clone()).serve(address, last.clone()).await?;
    }
    let drain = config.serves(ServeRole::Audit).then(|| parts.drain(config)).transpose()?;
    let patience = Patience { idle: config.wait.idle };
    let proxies = Proxies::new(&config.trusted_proxies);
    let front = Front { app, threads: Arc::clone(&threads), patience, proxies };
    let mut front = tokio::spawn(server::serve(listener, front, stop.clone()));
    // The listener is up first, so that /healthz and /readyz can say what is being waited for.
    let mut workers = JoinSet::new();
    workers.spawn(work(health, drain, last.clone()));

    let outcome = tokio::select! {
        told = told_to_stop() => told,
        failed = first_failure(&mut workers) => failed.map(|()| Told::Now),
        ended = &mut front => Err(anyhow::anyhow!("the listener failed: {ended:?}")),
    };
    tracing::info!("stopping");
    stop.notice.cancel();
    if let Ok(Told::Soon) = outcome {
        // Who asks /readyz, and who reads `Connection: close`, goes elsewhere meanwhile. Told again, it goes on at once.
        tokio::select! {
            () = sleep(config.wait.notice) => {}
            _ = told_to_stop() => {}
        }
    }
    stop.stopping.cancel();
    if let Some(gateway) = &gateway {
        gateway.stop();
    }
    if timeout(config.wait.grace, &mut front).await.is_err() {
        tracing::warn!("some calls were still running after {} s", config.wait.grace.as_secs());
        if let Some(gateway) = &gateway {
            gateway.end();
        }
        stop.ending.cancel();
        // It fails only with what it serves.
        let _ = front.await;
    }
    if let Some(gateway) = &gateway
        && timeout(CLOSINGS, gateway.stopped()).await.is_err()
    {
        tracing::warn!("some endings could not be written down; they will show as unknown");
    }
    // Last, so that it still brings those endings into the log.
    last.cancel();
    if timeout(BATCH, async { while workers.join_next().await.is_some() {} }).await.is_err() {
        tracing::warn!("a batch of the log was not finished; it will be written again");
    }
    if let Some(sending) = sending {
        sending.finish().await;
    }
    tracing::info!("stopped");
    outcome.map(drop)
}

/// What is served at this process' address.
fn routes(
    config: &ServeConfig,
    parts: &Parts,
    health: &Health,
    gateway: Option<GatewayState>,
) -> anyhow::Result<Router> {
    let mut app = health::router(health.clone());
    if let Some(gateway) = gateway {
        app = app.merge(gateway::router(gateway));
    }
    if config.serves(ServeRole::Control) {
        return Ok(app.fallback_service(Aside::new(Handle::current(), parts.control(config)?)));
    }
    Ok(app.fallback(|| async { (StatusCode::NOT_FOUND, "this process does not serve that\n") }))
}

/// Waits for the services, then drains decisions into the log until the process stops.
async fn work(health: Health, drain: Option<Drain>, stopping: CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        ready = startup::wait(&health) => ready?,
        () = stopping.cancelled() => return Ok(()),
    }
    tracing::info!("ready");
    if let Some(drain) = drain {
        drain.run(stopping).await;
    }
    Ok(())
}

/// How a process was told to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// By SIGTERM, as whoever runs it does: others are told first.
    Soon,
    /// By Ctrl-C: a person waits.
    Now,
}

/// Resolves on SIGTERM or Ctrl-C.
pub(crate) async fn told_to_stop() -> anyhow::Result<Told> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
    tokio::select! {
        _ = terminate.recv() => Ok(Told::Soon),
        stop = tokio::signal::ctrl_c() => stop.context("Ctrl-C can't be listened for").map(|()| Told::Now),
    }
}

/// Resolves when a task fails; tasks that end well are nobody's concern.
async fn first_failure(tasks: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended.context("a task panicked")??;
    }
    std::future::pending::<()>().await;
    Ok(())
}
