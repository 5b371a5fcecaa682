//! `tollgate migrate`: brings the database up to date. Never run by `serve`, so that an upgrade happens when somebody says so.

use anyhow::Context as _;

use crate::config::OwnerDatabaseConfig;

/// Makes or upgrades tables and roles.
///
/// # Errors
/// The database does not answer, or refuses.
pub async fn run(config: &OwnerDatabaseConfig) -> anyhow::Result<()> {
    storage::migrate(&config.owner_database_url, &config.database_url)
        .await
        .context("the database was not migrated")?;
    tracing::info!("the database is up to date");
    Ok(())
}
