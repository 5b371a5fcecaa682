//! The one binary: configuration, wiring, roles, shutdown, command line.

mod aside;
mod audit_cli;
mod bridge_cli;
mod cli;
mod config;
mod demo;
mod doctor;
mod health;
mod keys;
mod logging;
mod metrics;
mod migrate;
mod otlp;
mod otlp_config;
mod parts;
mod policy_cli;
mod proxies;
mod serve;
mod server;
mod startup;
mod store_config;
mod threads;
mod values;
mod wait_config;

use std::process::ExitCode;

use clap::Parser as _;
use domain::Clock;
use vault::Entropy;

use crate::cli::{Cli, Command, KeysCommand};

/// A call makes some hundred small pieces on one thread and drops them on another: what glibc is slowest at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match logging::start(&cli.log) {
        Ok(()) => run(cli.command).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(status) => status,
        Err(error) => {
            // The chain of causes on one line: what was attempted first, then why it failed.
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(config) => serve::run(&config).await?,
        Command::Migrate(config) => migrate::run(&config).await?,
        Command::Doctor(config) => return doctor::run(&config).await,
        Command::Keys { command: KeysCommand::New } => {
            keys::print_new(Clock::System.now(), &Entropy::System)?;
        }
        Command::Bridge(args) => bridge_cli::run(&args).await?,
        Command::Demo(args) => return demo::run(&args).await,
        Command::Audit { command } => return audit_cli::run(&command).await,
        Command::Policy { command } => {
            let (input, output, notes) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
            return policy_cli::run(&command, &mut input.lock(), &mut output.lock(), &mut notes.lock());
        }
    }
    Ok(ExitCode::SUCCESS)
}
