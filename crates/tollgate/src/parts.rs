//! What the configuration becomes: the doors to Postgres, Redis and upstreams, and the front doors built on them.

use std::sync::Arc;

use anyhow::Context as _;
use audit::{Drain, DrainSettings};
use axum::Router;
use control::{Control, ControlParts};
use dashboard::DashboardState;
use domain::{Clock, UpstreamUrl};
use egress::EgressConfig;
use gateway::{GatewayParts, GatewaySettings, GatewayState, Telemetry};
use ledger::{Ledger, LedgerConfig};
use storage::Storage;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use url::Url;
use vault::{Entropy, Keyring, jwt};

use crate::config::{RedisConfig, ServeConfig};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::server::Stop;

/// Everything that the parts of the binary share. Nothing here has connected yet.
pub struct Parts {
    pub storage: Storage,
    pub ledger: Ledger,
    pub keyring: Keyring,
    pub metrics: Metrics,
    egress: egress::Client,
    url: Url,
    /// Authorization servers can read who we are at `url`.
    client_metadata: bool,
    demo_upstream: Option<UpstreamUrl>,
}

impl Parts {
    /// Reads the configuration; `runtimes` serve connections.
    ///
    /// # Errors
    /// A value can't be used; the message names its variable.
    pub fn build(config: &ServeConfig, runtimes: &[Handle]) -> anyhow::Result<Self> {
        let storage = Storage::connect(&config.database.storage()?).context("DATABASE_URL")?;
        let ledger = connect_ledger(&config.redis, runtimes)?;
        let demo_upstream = config.demo_upstream.as_deref().map(str::parse).transpose();
        let health =
            Health { storage: storage.clone(), ledger: ledger.clone(), stopping: CancellationToken::new() };
        let metrics = Metrics::new(health, config.redis.stream_max, config.database.database_connections)?;
        let egress = egress::Client::new(EgressConfig {
            allow_private: config.allow_private_upstreams,
            networks: config.upstream_networks.clone(),
            allow_http: config.allow_http_upstreams,
            runtimes: runtimes.iter().map(Handle::id).collect(),
            ..config.wait.egress()
        })?;
        egress.register(&metrics.registry)?;
        Ok(Self {
            storage,
            ledger,
            metrics,
            keyring: config.keys.keys.parse().context("TOLLGATE_KEYS")?,
            egress,
            url: public_url(&config.url)?,
            client_metadata: !config.private_url,
            demo_upstream: demo_upstream.context("TOLLGATE_DEMO_UPSTREAM")?,
        })
    }

    /// The services to ask whether they answer.
    pub fn health(&self, stop: &Stop) -> Health {
        Health { storage: self.storage.clone(), ledger: self.ledger.clone(), stopping: stop.notice.clone() }
    }

    /// What brings decisions from the stream into the log, over a connection of its own: it reads large batches.
    ///
    /// # Errors
    /// The address of Redis can't be used.
    pub fn drain(&self, config: &ServeConfig) -> anyhow::Result<Drain> {
        let settings = DrainSettings { keep_days: config.retention_days, lost_after: config.wait.lost_after };
        let ledger = connect_ledger(&config.redis, &[])?;
        let metrics = audit::Metrics::new()?;
        metrics.register(&self.metrics.registry)?;
        let drain = Drain::new(ledger, self.storage.clone(), Clock::System, &Entropy::System, settings);
        Ok(drain.measured(metrics))
    }

    /// The data plane.
    ///
    /// # Errors
    /// Two measures have one name.
    pub fn gateway(
        &self,
        config: &ServeConfig,
        telemetry: Option<Telemetry>,
    ) -> anyhow::Result<GatewayState> {
        let metrics = gateway::Metrics::new()?;
        metrics.register(&self.metrics.registry)?;
        Ok(GatewayState::new(GatewayParts {
            storage: self.storage.clone(),
            ledger: self.ledger.clone(),
            keyring: self.keyring.clone(),
            egress: self.egress.clone(),
            clock: Clock::System,
            entropy: Entropy::System,
            metrics,
            telemetry,
            settings: GatewaySettings {
                origins: config.allowed_origins.clone(),
                recheck: config.wait.recheck,
                keep_alive: config.wait.keep_alive,
                task_polls: config.task_polls,
                approval_hold: config.wait.approval_hold,
                held_memory: config.held_memory as usize * 1024 * 1024,
                ..GatewaySettings::new(self.url.clone())
            },
        }))
    }

    /// The API and the pages.
    ///
    /// # Errors
    /// The keys can't sign.
    pub fn control(&self, config: &ServeConfig) -> anyhow::Result<Router> {
        let base = self.url.as_str().trim_end_matches('/').to_owned();
        let control = Control::new(ControlParts {
            storage: self.storage.clone(),
            ledger: self.ledger.clone(),
            keyring: self.keyring.clone(),
            signer: jwt::Signer::new(&self.keyring, &base, &format!("{base}/api/v1"))?,
            egress: self.egress.clone(),
            clock: Clock::System,
            entropy: Entropy::System,
            public_url: base,
            client_metadata: self.client_metadata,
            demo_upstream: self.demo_upstream.clone(),
        });
        let pages = dashboard::router(DashboardState {
            control: control.clone(),
            keyring: self.keyring.clone(),
            clock: Clock::System,
            entropy: Entropy::System,
            openapi: Arc::new(api::openapi()),
            patience: config.wait.request_timeout,
        });
        let state = api::ApiState::new(control, Clock::System, Entropy::System);
        Ok(api::router(state.within(config.wait.request_timeout)).fallback_service(pages))
    }
}

fn connect_ledger(config: &RedisConfig, runtimes: &[Handle]) -> anyhow::Result<Ledger> {
    Ledger::connect(LedgerConfig { runtimes: runtimes.to_vec(), ..config.ledger()? }).context("REDIS_URL")
}

/// The installation's address: http(s), a host, no path.
fn public_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.context("TOLLGATE_URL: write it like https://tollgate.example.com")?;
    anyhow::ensure!(
        url.path() == "/" && url.query().is_none() && url.fragment().is_none(),
        "TOLLGATE_URL: `{url}` has a path: leave it out"
    );
    Ok(url)
}
