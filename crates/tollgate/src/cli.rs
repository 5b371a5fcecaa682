//! The command line: what `tollgate` can be asked to do. Each subcommand's work is in the file of its name.

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::audit_cli::AuditCommand;
use crate::bridge_cli::BridgeArgs;
use crate::config::{LogConfig, OwnerDatabaseConfig, ServeConfig};
use crate::policy_cli::PolicyCommand;

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
    /// Make keys
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Verify, export and note the audit log's hash chain
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Check, test, judge and import policy documents; needs no database
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Serve a stdio MCP server as Streamable HTTP; needs no database
    Bridge(BridgeArgs),
    /// Start everything on this machine, seed an organisation, and drive an agent through the gateway
    Demo(DemoArgs),
}

/// `tollgate keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Print a new entry for `TOLLGATE_KEYS`
    New,
}

/// `tollgate demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// End after the table, with a status that says whether every call met what the policy says
    #[arg(long)]
    pub once: bool,
    /// Postgres, as a role that may create databases and roles; the demo makes a database of its own
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,
    /// Redis or Valkey
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: String,
    /// Where the demo keeps its keys and its log-in between runs
    #[arg(long, default_value = ".dev/demo", value_name = "DIRECTORY")]
    pub state: PathBuf,
    /// The port of the pages and the gateway; another free one is taken when it is in use
    #[arg(long, default_value_t = 8480, value_name = "PORT")]
    pub port: u16,
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
