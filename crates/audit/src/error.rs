//! What can go wrong with the log.

use ledger::LedgerError;

/// Why an operation on the log failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Postgres.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// Redis.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A record can't be written as JSON or CSV.
    #[error("a decision can't be written out: {0}")]
    Encoding(String),
    /// The table holds what no version of Tollgate wrote.
    #[error("decision {id} has `{value}` as its {column}: was it written by a newer version?")]
    Unknown {
        /// Which row.
        id: domain::DecisionId,
        /// Which column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// There is nothing to export with its chain.
    #[error("nothing was written to the log on these days, or they are no longer kept: choose others")]
    NothingWritten,
    /// Retention was faster than an export.
    #[error("days were dropped from the log while they were read: export the days that are kept")]
    DroppedMeanwhile,
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Storage(error.into())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Encoding(error.to_string())
    }
}

impl From<csv::Error> for Error {
    fn from(error: csv::Error) -> Self {
        Self::Encoding(error.to_string())
    }
}
