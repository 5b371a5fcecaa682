//! Waiting for Postgres and Redis. A process that starts before them says so, and keeps trying; it does not crash.

use std::time::Duration;

use anyhow::bail;

use crate::health::{Health, Missing};

/// The waits between two tries: doubled from the first to the last.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Returns when both services answer and the database is fit to be used.
///
/// # Errors
/// The database answers, but is not migrated, or the login role could see through row level security: waiting would
/// not mend that.
pub async fn wait(health: &Health) -> anyhow::Result<()> {
    let mut wait = FIRST_WAIT;
    loop {
        let missing = health.missing().await;
        if missing.is_empty() {
            return Ok(());
        }
        for what in &missing {
            if let Missing::Postgres { sentence, answers: true } = what {
                bail!("{sentence}");
            }
            tracing::warn!("{what}; next try in {} ms", wait.as_millis());
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LAST_WAIT);
    }
}
