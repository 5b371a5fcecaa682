//! Waiting for Postgres and Redis. A process that starts before them says so, and keeps trying; it does not crash.

use std::time::Duration;

use anyhow::bail;
use storage::Storage;

use crate::health::Health;

/// The waits between two tries: doubled from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Returns when both services answer and the database is fit to be used.
///
/// # Errors
/// The database answers, but is not migrated, or the login role could see through row level security.
pub async fn wait(health: &Health) -> anyhow::Result<()> {
    let mut wait = FIRST_WAIT;
    loop {
        let missing = health.missing().await;
        if !missing.contains(&"postgres") {
            check_database(&health.storage).await?;
        }
        if missing.is_empty() {
            return Ok(());
        }
        tracing::warn!("waiting for {}: no answer, next try in {wait:?}", missing.join(" and "));
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}

async fn check_database(storage: &Storage) -> anyhow::Result<()> {
    if !storage.is_current().await? {
        bail!("the database is not up to date: run `tollgate migrate`");
    }
    Ok(())
}
