//! `tools/list` answers without the tools that a policy hides. Everything else stays byte for byte.

use crate::Era;

/// How a list is filtered.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    /// Modern answers are marked private and their `ttlMs` is capped.
    pub era: Era,
    /// The longest time that a client may keep the answer, in milliseconds.
    pub max_ttl_ms: u64,
    /// Whether a tool of this name is shown.
    pub shows: &'a dyn Fn(&str) -> bool,
}

/// A message of the upstream that can't be read without doubt, so that it can't be filtered either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the upstream's message can't be read: {0}")]
pub struct Unreadable(pub &'static str);

impl Filter<'_> {
    /// Filters one message (or array of them) of the upstream: an HTTP body, or the data of one event. Nothing if it
    /// may pass as it is.
    ///
    /// # Errors
    /// [`Unreadable`]: answer with an error instead.
    pub fn apply(&self, body: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
        unimplemented!("{}", body.len())
    }
}
