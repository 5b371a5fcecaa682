//! `tollgate doctor`: looks at what `serve` would use, and says what is missing, one line each.

use std::io::Write as _;
use std::process::ExitCode;

use crate::config::ServeConfig;
use crate::health::Missing;
use crate::parts::Parts;
use crate::server::Stop;

/// Prints a line for each thing looked at. The status is a failure when one is missing.
///
/// # Errors
/// The configuration can't be read, or standard output can't be written.
pub async fn run(config: &ServeConfig) -> anyhow::Result<ExitCode> {
    let parts = Parts::build(config, &[])?;
    let mut out = std::io::stdout();
    let keys: Vec<_> = parts.keyring.key_ids().collect();
    writeln!(out, "ok       keys: {} seals, {} can open", keys[0], keys.len())?;
    let missing = parts.health(&Stop::default()).missing().await;
    for what in &missing {
        writeln!(out, "missing  {what}")?;
        if let Missing::Redis { why } = what {
            writeln!(out, "         {why}")?;
        }
    }
    if missing.is_empty() {
        writeln!(out, "ok       postgres is migrated, and the login role is held by row level security")?;
        writeln!(out, "ok       redis answers")?;
    }
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
