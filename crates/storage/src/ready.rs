//! Whether the database is one that the application may be served from.

use crate::{Error, Storage, migrate};

/// What is missing, in words for whoever runs the application.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// No answer.
    #[error("postgres does not answer: check DATABASE_URL and that it runs")]
    Away(#[source] Error),
    /// It does not prove to be who it is said to be, or wants proof of us that is not given.
    #[error(
        "no trusted connection to postgres: {0}: check sslmode, sslrootcert, sslcert and sslkey in DATABASE_URL"
    )]
    Untrusted(String),
    /// It answers, but it was never migrated, or the login role is not a member of the application's roles.
    #[error("the database is not set up for this login role: run `tollgate migrate`")]
    NotSetUp(#[source] Error),
    /// It is behind this build.
    #[error("migration {missing} of this build was not run on the database: run `tollgate migrate`")]
    Behind {
        /// The first that was not applied.
        missing: i64,
    },
    /// The login role would see every tenant's rows.
    #[error("the login role `{0}` skips row level security: let the application log in as another one")]
    Privileged(String),
}

impl Storage {
    /// Looks whether everything is in place. A database that is ahead of this build is: migrations only ever add.
    pub async fn ready(&self) -> Result<(), NotReady> {
        let mut tx = self.system().await.map_err(|error| match error.distrust() {
            Some(why) => NotReady::Untrusted(why),
            None if matches!(error, Error::Away(_)) => NotReady::Away(error),
            None => NotReady::NotSetUp(error),
        })?;
        let login = sqlx::query!(
            r#"SELECT rolname::text AS "name!", rolsuper OR rolbypassrls AS "privileged!"
               FROM pg_roles WHERE rolname = session_user"#
        )
        .fetch_one(tx.connection())
        .await
        .map_err(|error| NotReady::Away(error.into()))?;
        if login.privileged {
            return Err(NotReady::Privileged(login.name));
        }
        // Not checked at build time: the table is the migrator's own.
        let applied: Vec<i64> = sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(tx.connection())
            .await
            .map_err(|error| NotReady::NotSetUp(error.into()))?;
        // Any of them, not the last alone: the numbers of the log's tables are above all others.
        match migrate::versions().find(|version| !applied.contains(version)) {
            Some(missing) => Err(NotReady::Behind { missing }),
            None => Ok(()),
        }
    }
}
