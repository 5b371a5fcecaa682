//! What can go wrong at the database, as far as the caller does something different about it.

use sqlx::error::ErrorKind;

/// A rule of the schema that a write ran against, by the name it has in the migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// `users_email_key`
    EmailTaken,
    /// `tenants_slug_key`
    SlugTaken,
    /// `servers_name_key`
    ServerNameTaken,
    /// `policies_name_key`
    PolicyNameTaken,
    /// `policy_versions_pkey`
    PolicyVersionTaken,
    /// `grants_policy_fkey`: not a policy of the grant's server, or a policy that a grant still uses.
    GrantPolicy,
    /// `grants_server_fkey`, `policies_server_fkey`, `server_tools_server_fkey`, `sealed_credentials_server_fkey`, and
    /// those of connections
    ServerGone,
    /// Any other: a fault of ours.
    Other(String),
}

impl Constraint {
    fn named(name: &str) -> Self {
        match name {
            "users_email_key" => Self::EmailTaken,
            "tenants_slug_key" => Self::SlugTaken,
            "servers_name_key" => Self::ServerNameTaken,
            "policies_name_key" => Self::PolicyNameTaken,
            "policy_versions_pkey" => Self::PolicyVersionTaken,
            "grants_policy_fkey" => Self::GrantPolicy,
            "grants_server_fkey"
            | "policies_server_fkey"
            | "server_tools_server_fkey"
            | "sealed_credentials_server_fkey"
            | "upstream_clients_server_fkey"
            | "connections_server_fkey"
            | "connect_links_server_fkey"
            | "authorizations_server_fkey"
            | "authorizations_link_fkey"
            | "approvals_server_fkey" => Self::ServerGone,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Why a statement was not done. Its transaction is over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A rule of the schema is against it.
    #[error("the row is against {0:?}")]
    Constraint(Constraint),
    /// A change of the judged state was not committed in the time that its mark allows.
    #[error("the change was not committed in time")]
    TooLate,
    /// The database can't be reached, or has no connection to spare.
    #[error("the database does not answer")]
    Away(#[source] sqlx::Error),
    /// Anything else: a fault of ours.
    #[error("the database refused the statement")]
    Database(#[source] sqlx::Error),
}

impl Error {
    /// What TLS has against the connection, if it has: waiting will not mend it.
    pub(crate) fn distrust(&self) -> Option<String> {
        match self {
            Self::Away(sqlx::Error::Tls(why)) => Some(why.to_string()),
            Self::Away(sqlx::Error::Io(why)) if why.kind() == std::io::ErrorKind::InvalidData => {
                Some(why.to_string())
            }
            Self::Database(sqlx::Error::Database(refused)) if refused.code().as_deref() == Some(NO_ENTRY) => {
                refused.message().contains("certificate").then(|| refused.message().to_owned())
            }
            _ => None,
        }
    }
}

/// `invalid_authorization_specification`
const NO_ENTRY: &str = "28000";
/// Raised by `commit_in_time()` of the migrations.
const TOO_LATE: &str = "TG001";
/// `query_canceled`, by our own statement timeout.
const CANCELED: &str = "57014";
/// `lock_not_available`
const NO_LOCK: &str = "55P03";

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Away(error),
            sqlx::Error::Database(refused) => match (refused.kind(), refused.code().as_deref()) {
                (ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation, _) => {
                    Self::Constraint(Constraint::named(refused.constraint().unwrap_or_default()))
                }
                (_, Some(TOO_LATE | CANCELED | NO_LOCK)) => Self::TooLate,
                // Class 57: the server is shutting down or starting; class 53: it is out of connections or memory.
                (_, Some(code)) if code.starts_with("57") || code.starts_with("53") => Self::Away(error),
                _ => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}
