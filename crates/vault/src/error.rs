//! What can go wrong with a secret. No sentence here contains one.

/// A variant is what the caller does differently.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text of the keyring can't be used; said at start, to whoever runs the program.
    #[error("{0}")]
    Keyring(KeyringProblem),
    /// A record was sealed with a key that is not in the keyring.
    #[error("sealed with key `{0}`, which is not in the keyring: put that key back, behind the newest")]
    UnknownKey(String),
    /// A record was changed, cut, or belongs to another row.
    #[error("a sealed record can't be opened: it was changed, or it belongs to another row")]
    Tampered,
    /// Not a token of ours: wrong prefix, length, checksum, signature, issuer or audience.
    #[error("not a token of this service: copy it again, whole")]
    NotAToken,
    /// A JWT of ours whose time is over.
    #[error("the token has expired: ask for a new one")]
    Expired,
    /// A stored password hash that can't be read.
    #[error("a stored password hash can't be read: set the password anew")]
    PasswordHash,
    /// Not a private key that can sign here.
    #[error("not a private key in PEM that can sign here: give PKCS #8 of P-256, P-384, Ed25519 or RSA")]
    NotAKey,
    /// The crypto library refused; it says no more than that.
    #[error("the crypto library refused the operation")]
    Backend,
}

/// What is wrong with a keyring. Keys are named by their id or place, never shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringProblem {
    /// No entry at all.
    #[error("the keyring is empty: give at least one `id:key`, made with `openssl rand -base64 32`")]
    Empty,
    /// An entry without a colon.
    #[error("entry {0} of the keyring is not of the form `id:key`")]
    Form(usize),
    /// An id that is not 1 to 32 lower-case letters, digits and hyphens.
    #[error(
        "entry {0} of the keyring has an unusable id: use 1 to 32 lower-case letters, digits and hyphens"
    )]
    Id(usize),
    /// The same id twice.
    #[error("key `{0}` is in the keyring twice: ids name one key for ever")]
    Twice(String),
    /// Not 32 bytes of base64.
    #[error("key `{0}` is not 32 bytes of base64: make it with `openssl rand -base64 32`")]
    Length(String),
    /// One byte repeated.
    #[error("key `{0}` is not random: make it with `openssl rand -base64 32`")]
    Weak(String),
}

impl From<KeyringProblem> for Error {
    fn from(problem: KeyringProblem) -> Self {
        Self::Keyring(problem)
    }
}

impl From<aws_lc_rs::error::Unspecified> for Error {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Backend
    }
}
