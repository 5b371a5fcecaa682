//! `tollgate serve`: the parts that were asked for, behind one listener, until the process is told to stop.

use std::net::SocketAddr;

use anyhow::Context as _;
use audit::Drain;
use axum::Router;
use axum::http::StatusCode;
use gateway::GatewayState;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeRole;
use crate::config::ServeConfig;
use crate::health::{self, Health};
use crate::parts::Parts;
use crate::startup;

/// Serves until SIGTERM or Ctrl-C, then lets running calls end.
///
/// # Errors
/// The configuration can't be used, the address can't be listened on, or the database is not fit to be used.
pub async fn run(config: &ServeConfig) -> anyhow::Result<()> {
    let parts = Parts::build(config)?;
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("{} can't be listened on", config.listen))?;
    tracing::info!("listening on {}, called {}", listener.local_addr()?, config.url);

    let stopping = CancellationToken::new();
    let gateway = config.serves(ServeRole::Gateway).then(|| parts.gateway(config));
    let app = routes(config, &parts, gateway.clone())?;
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(stopping.clone().cancelled_owned());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { server.await.context("the listener failed") });
    // The listener is up first, so that /healthz and /readyz can say what is being waited for.
    let drain = config.serves(ServeRole::Audit).then(|| parts.drain(config)).transpose()?;
    tasks.spawn(work(parts.health(), drain, stopping.clone()));

    let outcome = tokio::select! {
        stop = told_to_stop() => stop,
        failed = first_failure(&mut tasks) => failed,
    };
    tracing::info!("stopping");
    stopping.cancel();
    let ended = async {
        if let Some(gateway) = &gateway {
            gateway.stop();
        }
        while tasks.join_next().await.is_some() {}
        if let Some(gateway) = &gateway {
            gateway.stopped().await;
        }
    };
    if tokio::time::timeout(config.grace, ended).await.is_err() {
        tracing::warn!("some calls were still running after {} s", config.grace.as_secs());
    }
    outcome
}

/// What is served at this process' address.
fn routes(config: &ServeConfig, parts: &Parts, gateway: Option<GatewayState>) -> anyhow::Result<Router> {
    let mut app = health::router(parts.health());
    if let Some(gateway) = gateway {
        app = app.merge(gateway::router(gateway));
    }
    if config.serves(ServeRole::Control) {
        return Ok(app.fallback_service(parts.control()?));
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

/// Resolves on SIGTERM or Ctrl-C.
pub(crate) async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        stop = tokio::signal::ctrl_c() => stop.context("Ctrl-C can't be listened for"),
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
