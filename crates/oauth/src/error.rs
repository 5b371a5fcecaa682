//! Why a connection could not be made or kept. The sentences are shown to who connects; nothing in them was written by
//! the other side but the name of a host.

use egress::EgressError;

use crate::code::Code;

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An address could not be called.
    #[error("{what} can't be asked: {error}")]
    Unreachable {
        /// Who was asked.
        what: &'static str,
        /// Why not.
        error: EgressError,
    },
    /// The server publishes no metadata.
    #[error(
        "the server does not say who issues its tokens: it has no protected resource metadata (RFC 9728), and its own host is no authorization server, so it can't be connected this way"
    )]
    NoResourceMetadata,
    /// The metadata is of another resource.
    #[error("the server's metadata is about another address than its own: nothing was sent there")]
    OtherResource,
    /// The metadata names nobody.
    #[error("the server's metadata names no authorization server")]
    NoAuthorizationServer,
    /// No metadata at any of the addresses that the specification lists.
    #[error("the authorization server `{0}` publishes no metadata (RFC 8414 or OpenID)")]
    NoServerMetadata(String),
    /// The metadata names another issuer than it was asked for.
    #[error("the authorization server `{0}` says that it is another one: its metadata was discarded")]
    OtherIssuer(String),
    /// PKCE is not offered.
    #[error(
        "the authorization server does not say that it supports PKCE with S256, without which codes can be stolen"
    )]
    NoPkce,
    /// None of its ways to authenticate is spoken here.
    #[error(
        "the authorization server wants its clients to authenticate in a way that Tollgate does not speak"
    )]
    NoClientAuth,
    /// The way to authenticate and the secret do not belong together.
    #[error("the secret does not fit how the client authenticates: give one for every way but `none`")]
    UnfitSecret,
    /// The client's private key can't sign.
    #[error("the client's private key can't sign: give one in PEM (PKCS #8) of P-256, P-384, Ed25519 or RSA")]
    UnfitKey,
    /// Somebody has to register this installation there by hand.
    #[error(
        "the authorization server registers no clients by itself: register Tollgate there and store the client"
    )]
    NeedsClient,
    /// It would not register this installation.
    #[error("the authorization server refused to register Tollgate ({0})")]
    Unregistered(Code),
    /// The person, or the authorization server, said no.
    #[error("{}", .0.words())]
    Denied(Code),
    /// The answer names another issuer than the one that was asked, or none although it promised to.
    #[error("the answer did not come from the authorization server that was asked: connect again")]
    OtherAnswer,
    /// The answer has no code, or something twice.
    #[error("the authorization server's answer is incomplete: connect again")]
    IncompleteAnswer,
    /// The token endpoint said no.
    #[error("the authorization server gave no token ({0})")]
    NoToken(Code),
    /// What came is not what the specification says.
    #[error("the authorization server's answer can't be read: {0}")]
    Unreadable(&'static str),
}

impl Error {
    /// Whether it may go away by itself.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NoToken(Code::Busy) | Self::Unreadable(_))
    }
}
