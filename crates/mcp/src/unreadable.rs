//! A message of an upstream that the gateway can't vouch for.

/// A message of the upstream that can't be read without doubt, so that it can't be filtered either. Answer with an error
/// instead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's message can't be relayed: {0}")]
pub struct Unreadable(pub &'static str);

impl Unreadable {
    pub(crate) const JSON: Self = Self("it is not JSON of one meaning");
    /// 2025-11-25 has this error, and no later revision.
    pub const LEGACY_ERROR: Self = Self("it is an error that its revision does not have");
    pub(crate) const MESSAGE: Self = Self("it is not a message of the protocol");
}
