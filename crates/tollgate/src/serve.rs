//! `tollgate serve`: the parts that were asked for, behind one listener, until the process is told to stop.


use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::ServeRole;
use crate::config::ServeConfig;
use crate::health;
use crate::parts::Parts;
use crate::startup;

/// Serves until SIGTERM or Ctrl-C, then lets running calls end.
///
/// # Errors
/// The configuration can't be used, the address can't be listened on, or the database is not fit to be used.
pub async fn run(config: &ServeConfig) -> anyhow::Result<()> {
    let parts = Parts::build(config)?;
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("{} can't be listened on", config.listen))?;
    tracing::info!("listening on {}, called {}", listener.local_addr()?, config.url);

    let stopping = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let app = routes(config, &parts, &stopping)?;
    let server = axum::serve(listener, app.into_make_service_with_connect_info::<std::net::SocketAddr>())
        .with_graceful_shutdown(stopping.clone().cancelled_owned());
    tasks.spawn(async move { server.await.context("the listener failed") });
    // The listener is up first, so that /healthz and /readyz can say what is being waited for.
    let health = parts.health();
    let workers = config.serves(ServeRole::Audit).then(|| parts.workers(config));
    let stop = stopping.clone();
    tasks.spawn(async move {
        tokio::select! {
            ready = startup::wait(&health) => ready?,
            () = stop.cancelled() => return Ok(()),
        }
        tracing::info!("ready");
        if let Some(workers) = workers {
            workers.run(stop).await;
        }
        Ok(())
    });

    let outcome = tokio::select! {
        stop = told_to_stop() => stop,
        failed = first_failure(&mut tasks) => failed,
    };
    tracing::info!("stopping");
    stopping.cancel();
    if tokio::time::timeout(config.grace, tasks.join_all()).await.is_err() {
        tracing::warn!("some calls were still running after {} s", config.grace.as_secs());
    }
    outcome
}

fn routes(config: &ServeConfig, parts: &Parts, stopping: &CancellationToken) -> anyhow::Result<Router> {
    let mut app = health::router(parts.health());
    if config.serves(ServeRole::Gateway) {
        app = app.merge(parts.gateway(config, stopping)?);
    }
    if config.serves(ServeRole::Control) {
        app = app.merge(parts.api()).fallback_service(parts.dashboard());
    } else {
        app = app.fallback(|| async { (StatusCode::NOT_FOUND, "this process does not serve that\n") });
    }
    Ok(app)
}

/// Resolves on SIGTERM or Ctrl-C.
async fn told_to_stop() -> anyhow::Result<()> {
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

