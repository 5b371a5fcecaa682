//! What can go wrong with Redis, by what the caller does differently.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why an operation of the ledger failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The address can't be used.
    #[error(
        "the redis address can't be used: {0}: write it like redis://host:6379, redis+sentinel://one,two,three/name or redis+cluster://one,two,three"
    )]
    Address(String),
    /// A certificate or key can't be used.
    #[error(
        "the certificates for redis can't be used: {0}: check TOLLGATE_REDIS_CA, TOLLGATE_REDIS_CERT and TOLLGATE_REDIS_KEY"
    )]
    Certificates(String),
    /// What is to stand in front of the keys can't.
    #[error("`{0}` can't stand in front of redis keys: use 1 to 64 letters, digits, `-`, `_` and `.`")]
    Namespace(String),
    /// No connection, or a Redis that can't take writes now. Whether a request that was under way took effect is
    /// unknown.
    #[error("redis is away: {0}: check that it runs, is the primary and has memory left")]
    Away(String),
    /// No answer in time. Whether the request took effect is unknown.
    #[error("redis did not answer in time: check its load and the network to it")]
    Timeout,
    /// Redis answered what no ledger of this version can have caused.
    #[error(
        "redis answered unexpectedly: {0}: check its version (7 or newer) and that nobody else uses the keys"
    )]
    Protocol(String),
}

impl LedgerError {
    /// An answer of another shape than the script gives.
    pub(crate) fn shape(of: &str) -> Self {
        Self::Protocol(format!("the answer to {of} has another shape"))
    }
}

/// What an error of the client says about the connection.
pub(crate) enum Trouble {
    /// It is of no more use: broken, or to a Redis that has lost its role.
    Lost,
    /// It stands, but Redis takes no writes at present.
    Refused,
    /// It stands, and nothing was done: what was asked for is on its way to another node, or there.
    Elsewhere,
    /// Neither.
    Other,
}

/// What a script is told of a key that another node has.
const NOT_LOCAL: &str = "attempted to access a non local key";

pub(crate) fn trouble(error: &RedisError) -> Trouble {
    match error.kind() {
        ErrorKind::Io
        | ErrorKind::Parse
        | ErrorKind::AuthenticationFailed
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading | ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown,
        ) => Trouble::Lost,
        ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::TryAgain) => {
            Trouble::Elsewhere
        }
        // A key that a script finds by another one has left before the script wrote anything: see close.lua.
        ErrorKind::Server(ServerErrorKind::ResponseError) if error.to_string().contains(NOT_LOCAL) => {
            Trouble::Elsewhere
        }
        ErrorKind::Server(ServerErrorKind::ClusterDown) => Trouble::Refused,
        _ if matches!(error.code(), Some("OOM" | "NOREPLICAS" | "MISCONF" | "BUSY")) => Trouble::Refused,
        _ => Trouble::Other,
    }
}
