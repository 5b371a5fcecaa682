//! What can go wrong in an operation, as far as whoever asked for it does something different about it.

use std::time::Duration;

use domain::Role;
use serde::Serialize;
use utoipa::ToSchema;

/// One field of an input that can't be taken, and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON Pointer (RFC 6901) into the input: `/email`, `/headers/0/name`.
    #[schema(example = "/upstream_url")]
    pub pointer: String,
    /// Follows the field's name in a sentence: `must not be empty: type at least one character`.
    pub message: String,
}

/// One problem of a policy document, at its place in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentProblem {
    /// JSON Pointer into the document.
    #[schema(example = "/tools/flowforge_list_runs/action")]
    pub pointer: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted in characters, from 1.
    pub column: u32,
    /// A word for programs, such as `unknown_field`.
    pub code: String,
    /// What is wrong and how to mend it.
    pub message: String,
}

impl From<policy::Problem> for DocumentProblem {
    fn from(problem: policy::Problem) -> Self {
        Self {
            pointer: problem.pointer,
            line: problem.line,
            column: problem.column,
            code: problem.code.to_owned(),
            message: problem.message,
        }
    }
}

/// A state of things that stands against a change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Somebody saved the policy since it was read.
    #[error("version {current} was saved in the meantime: read it, then save again on top of it")]
    Version {
        /// The version in force.
        current: u32,
    },
    /// A policy can't be deleted while grants are judged by it.
    #[error("{grants} grants use this policy: attach another one to them first")]
    PolicyInUse {
        /// How many, revoked ones not counted.
        grants: i64,
    },
    /// A revoked grant stays revoked.
    #[error("the grant is revoked: mint a new one")]
    Revoked,
    /// There is nothing to decide about a call, or it can't be approved. The words say why.
    #[error("{0}")]
    Approval(String),
    /// A server can't be connected. The words say why, and how to go on.
    #[error("{0}")]
    Connect(String),
    /// The server's authorization server registers nobody by itself.
    #[error(
        "the authorization server `{issuer}` registers no clients by itself: register Tollgate there with the redirect address `{redirect_uri}`, then store the client's id and secret in the server's settings"
    )]
    NeedsClient {
        /// Where to register.
        issuer: String,
        /// What to register.
        redirect_uri: String,
    },
    /// The organisation has as many of these as it may have.
    #[error("there are {max} {what} already: delete some that are not used any more")]
    Full {
        /// The plural noun.
        what: &'static str,
        /// How many there may be.
        max: i64,
    },
}

/// A service that an operation can't do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Service {
    /// Postgres.
    #[error("the database does not answer")]
    Database,
    /// Redis.
    #[error("the ledger does not answer")]
    Ledger,
}

/// Why an operation was not done. Nothing of it was saved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Every field that is wrong.
    #[error("{} fields can't be taken", .0.len())]
    Invalid(Vec<FieldProblem>),
    /// Every problem of a policy document.
    #[error("the policy has {} problems", .0.len())]
    InvalidPolicy(Vec<DocumentProblem>),
    /// No such thing in this organisation, whether or not another one has it.
    #[error("there is no such thing here")]
    NotFound,
    /// The actor's role is too low.
    #[error("this needs the role {needs}: ask an owner of the organisation")]
    Forbidden {
        /// The lowest role that may do it.
        needs: Role,
    },
    /// People only: an API key has no password to ask for.
    #[error("this is for people: log in with a password")]
    PeopleOnly,
    /// The state of things is against it.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// No valid session, key or token; or a wrong e-mail or password, without saying which.
    #[error("the e-mail or password is wrong, or the log-in has ended")]
    Unauthenticated,
    /// Try again later.
    #[error("{0}: try again in a minute")]
    Unavailable(Service),
    /// Too many tries at something that can be guessed.
    #[error("too many attempts: try again in {} minutes", retry_after.as_secs().div_ceil(60))]
    TooManyAttempts {
        /// Until the next try is let through.
        retry_after: Duration,
    },
    /// A fault of ours. The text is for the log, never for who asked.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One field that can't be taken.
    pub(crate) fn field(pointer: &str, message: impl std::fmt::Display) -> Self {
        Self::Invalid(vec![FieldProblem { pointer: pointer.to_owned(), message: message.to_string() }])
    }

    /// A fault of ours.
    pub(crate) fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }
}

/// What a field of that name is told when its value is taken.
const NAME_TAKEN: &str = "is taken: choose another one";

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        use storage::Constraint;
        match error {
            storage::Error::Away(_) | storage::Error::TooLate => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database was not there");
                Self::Unavailable(Service::Database)
            }
            storage::Error::Constraint(Constraint::EmailTaken) => {
                Self::field("/email", "has an account already: log in instead")
            }
            storage::Error::Constraint(Constraint::ServerNameTaken | Constraint::PolicyNameTaken) => {
                Self::field("/name", NAME_TAKEN)
            }
            storage::Error::Constraint(Constraint::GrantPolicy) => {
                Self::field("/policy_id", "is not a policy of this server: choose one of its own")
            }
            storage::Error::Constraint(Constraint::ServerGone) => Self::NotFound,
            other => Self::internal(other),
        }
    }
}

impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        Self::internal(error)
    }
}
