//! `/metrics`: an own listener, off unless it is asked for. What it shows is of the whole installation, so it is never
//! served at the address that tenants use.

mod sample;

use std::net::SocketAddr;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gateway::GatewayState;
use prometheus::{IntGaugeVec, Opts, Registry, TEXT_FORMAT, TextEncoder};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics::sample::Samples;

/// Everything that this process shows.
#[derive(Clone)]
pub struct Metrics {
    pub registry: Registry,
    samples: Samples,
    health: Health,
    gateway: Option<GatewayState>,
}

impl Metrics {
    /// What the process says of itself and of its services; parts add their own to `registry`.
    ///
    /// # Errors
    /// Two measures have one name.
    pub fn new(health: Health, stream_max: u64, database_connections: u32) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let build = IntGaugeVec::new(
            Opts::new("tollgate_build_info", "1, with the version that runs"),
            &["version"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        registry.register(Box::new(build))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let samples = Samples::new(&registry)?;
        samples.bounds(stream_max, database_connections);
        Ok(Self { registry, samples, health, gateway: None })
    }

    /// The same, of a process that serves the data plane.
    #[must_use]
    pub fn of_gateway(self, gateway: Option<GatewayState>) -> Self {
        Self { gateway, ..self }
    }

    /// Shows them at `address` until the process has stopped.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn serve(self, address: SocketAddr, stopped: CancellationToken) -> anyhow::Result<()> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("TOLLGATE_METRICS_LISTEN: {address} can't be listened on"))?;
        tracing::info!("metrics at http://{}/metrics", listener.local_addr()?);
        let app = Router::new().route("/metrics", get(show)).with_state(self);
        tokio::spawn(async move {
            let serving = axum::serve(listener, app).with_graceful_shutdown(stopped.cancelled_owned());
            if let Err(error) = serving.await {
                tracing::warn!(%error, "metrics are shown no longer");
            }
        });
        Ok(())
    }
}

async fn show(State(metrics): State<Metrics>) -> Response {
    metrics.samples.take(&metrics.health, metrics.gateway.as_ref()).await;
    match TextEncoder::new().encode_to_string(&metrics.registry.gather()) {
        Ok(text) => ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics can't be shown");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
