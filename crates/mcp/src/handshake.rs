//! The answers to `initialize` and `server/discover`: the version in them is read, and what the gateway blocks is not
//! offered.

use crate::{Surfaces, Version, lists::Unreadable};

/// What the answer to an `initialize` settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initialized {
    /// The version of the session.
    pub version: Version,
    /// The answer without the capabilities that are blocked; nothing if it may pass as it is.
    pub body: Option<Vec<u8>>,
}

/// Reads the answer to an `initialize`. Nothing settled if the upstream answered with an error, which passes as it is.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or a version that the gateway does not speak.
pub fn initialized(body: &[u8], open: Surfaces) -> Result<Option<Initialized>, Unreadable> {
    unimplemented!("{} {open:?}", body.len())
}

/// Rewrites the answer to a `server/discover`: only versions that both speak, only capabilities that are let through,
/// private, and kept for at most `max_ttl_ms`. Nothing if it may pass as it is.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or no version is spoken by both.
pub fn discovered(body: &[u8], open: Surfaces, max_ttl_ms: u64) -> Result<Option<Vec<u8>>, Unreadable> {
    unimplemented!("{} {open:?} {max_ttl_ms}", body.len())
}
