//! The configuration: flags and environment variables, checked before anything starts.
//!
//! This is the one place that reads the environment. Values that are secret are never printed, by `--help` neither.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::cli::ServeRole;
pub use crate::otlp_config::OtlpConfig;
pub use crate::store_config::{DatabaseConfig, RedisConfig};
use crate::values::{network, number};
pub use crate::wait_config::WaitConfig;

/// How the process logs.
#[derive(Debug, Args)]
pub struct LogConfig {
    /// What is logged, in tracing's filter syntax
    #[arg(
        long,
        env = "TOLLGATE_LOG",
        default_value = "info,rmcp=warn,sqlx=warn",
        global = true,
        value_name = "FILTER"
    )]
    pub log: String,
    /// How a line is written
    #[arg(long, env = "TOLLGATE_LOG_FORMAT", value_enum, default_value = "text", global = true)]
    pub log_format: LogFormat,
}

/// A form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// The database, as its owner sees it.
#[derive(Clone, Debug, Args)]
pub struct OwnerDatabaseConfig {
    /// Postgres, as a role that may create tables and roles
    #[arg(long, env = "TOLLGATE_OWNER_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub owner_database_url: String,
    /// Postgres, as the login role of `tollgate serve`: it is made when it is missing, and let into the tables
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
}

/// The keys that seal secrets and sign tokens.
#[derive(Clone, Args)]
pub struct KeyConfig {
    /// `id:base64` of 32 bytes, several with commas between them; the first seals, all open. `tollgate keys new` makes one
    #[arg(long, env = "TOLLGATE_KEYS", hide_env_values = true, value_name = "KEYS")]
    pub keys: String,
}

impl std::fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyConfig(***)")
    }
}

/// Everything that `tollgate serve` needs.
#[derive(Debug, Args)]
pub struct ServeConfig {
    /// The part to serve; all of them when left out. May be given several times
    #[arg(long = "role", env = "TOLLGATE_ROLE", value_enum, value_delimiter = ',')]
    pub roles: Vec<ServeRole>,
    /// The address to listen on
    #[arg(long, env = "TOLLGATE_LISTEN", default_value = "127.0.0.1:8480", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Threads that serve connections; as many as there are cores for this process when left out
    #[arg(long, env = "TOLLGATE_THREADS", value_name = "N", value_parser = number::<u32>("TOLLGATE_THREADS", 1..=1024))]
    pub threads: Option<u32>,
    /// The address to show `/metrics` at, unguarded: one that only the operator reaches. Nowhere when left out
    #[arg(long, env = "TOLLGATE_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// The address that people and clients use, without a path
    #[arg(long, env = "TOLLGATE_URL", value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub redis: RedisConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub otlp: OtlpConfig,
    /// Networks of the proxies in front whose `X-Forwarded-For` is believed, with commas between them
    #[arg(long, env = "TOLLGATE_TRUSTED_PROXIES", value_delimiter = ',', value_name = "NETWORKS",
        value_parser = network("TOLLGATE_TRUSTED_PROXIES"))]
    pub trusted_proxies: Vec<IpNet>,
    /// Let upstreams be at any private or loopback address, and be called over plain http. For trusted tenants only
    #[arg(long, env = "TOLLGATE_ALLOW_PRIVATE_UPSTREAMS")]
    pub allow_private_upstreams: bool,
    /// Private networks that upstreams may be in, with commas between them: 10.8.0.0/16
    #[arg(long, env = "TOLLGATE_UPSTREAM_NETWORKS", value_delimiter = ',', value_name = "NETWORKS",
        value_parser = network("TOLLGATE_UPSTREAM_NETWORKS"))]
    pub upstream_networks: Vec<IpNet>,
    /// Let upstreams be called over plain http
    #[arg(long, env = "TOLLGATE_ALLOW_HTTP_UPSTREAMS")]
    pub allow_http_upstreams: bool,
    /// Authorization servers of upstreams can't read /oauth/client.json at the address of this installation: register with
    /// them instead
    #[arg(long, env = "TOLLGATE_PRIVATE_URL")]
    pub private_url: bool,
    /// Where the demo upstream answers; offers "Flowforge (demo)" when a server is registered
    #[arg(long, env = "TOLLGATE_DEMO_UPSTREAM", value_name = "URL")]
    pub demo_upstream: Option<String>,
    /// Origins besides our own whose pages may call the gateway, with commas between them
    #[arg(long, env = "TOLLGATE_ALLOWED_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub allowed_origins: Vec<String>,
    /// MiB of answers that a gateway holds at once because they may have to be rewritten
    #[arg(long, env = "TOLLGATE_HELD_MEMORY", default_value = "256", value_name = "MIB",
        value_parser = number::<u32>("TOLLGATE_HELD_MEMORY", 32..=1_048_576))]
    pub held_memory: u32,
    /// How often a grant may ask about one of its tasks in any minute
    #[arg(long, env = "TOLLGATE_TASK_POLLS", default_value = "120", value_name = "N",
        value_parser = number::<u32>("TOLLGATE_TASK_POLLS", 1..=1_000_000))]
    pub task_polls: u32,
    /// Whole days that decisions are kept, today among them; for ever when left out
    #[arg(long, env = "TOLLGATE_RETENTION_DAYS", value_name = "DAYS",
        value_parser = number::<u32>("TOLLGATE_RETENTION_DAYS", 1..=36_500))]
    pub retention_days: Option<u32>,
    #[command(flatten)]
    pub wait: WaitConfig,
}

impl ServeConfig {
    /// Whether this process serves `role`.
    pub fn serves(&self, role: ServeRole) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }

    /// How many threads serve connections.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, |threads| threads as usize)
    }
}

/// A variable of the environment that another program is to get.
pub fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
