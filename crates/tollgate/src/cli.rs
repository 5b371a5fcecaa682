//! The command line: what `tollgate` can be asked to do. Each subcommand's work is in the file of its name.

use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::config::{DatabaseConfig, KeyConfig, LogConfig, OwnerDatabaseConfig, RedisConfig, ServeConfig};

/// Tollgate stands between AI agents and MCP servers: every call is judged, counted and recorded before it runs.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about)]
pub struct Cli {
    #[command(flatten)]
    pub log: LogConfig,
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the gateway, the API, the pages and the audit log's workers, or one part of them
    Serve(Box<ServeConfig>),
    /// Create or upgrade the database's tables and roles, with the owner's credentials
    Migrate(OwnerDatabaseConfig),
    /// Look at the configuration and the services it names, and say what is missing
    Doctor(Box<ServeConfig>),
    /// Make keys, or seal every stored secret anew with the newest key
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Verify the audit log's hash chain
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Seed an organisation through the public API, then drive an MCP client through the gateway
    Demo(DemoArgs),
}

/// `tollgate keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print a new entry for `TOLLGATE_KEYS`
    New,
    /// Seal every stored secret anew with the first key of `TOLLGATE_KEYS`
    Rotate(RotateArgs),
}

/// `tollgate keys rotate`.
#[derive(Debug, Args)]
pub struct RotateArgs {
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
}

/// `tollgate audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk a tenant's chain and name the first row that was changed, removed or slipped in
    Verify(VerifyArgs),
}

/// `tollgate audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The organisation's id; every organisation when left out
    #[arg(long)]
    pub tenant: Option<Uuid>,
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// `tollgate demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Where a running Tollgate answers
    #[arg(long, env = "TOLLGATE_URL")]
    pub url: String,
    /// Where flowforge-sim answers
    #[arg(long, env = "TOLLGATE_DEMO_UPSTREAM")]
    pub upstream: String,
}

/// A part of the binary that can be served alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServeRole {
    /// The data plane: `/mcp/{server}`
    Gateway,
    /// The API and the pages
    Control,
    /// The drain of decisions into the log, the sweep, retention
    Audit,
}
