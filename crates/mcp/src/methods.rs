//! Which method may pass, in which era, and what must happen to it. What is not in the table is refused.

use crate::{Era, Malformed, Message};

/// What the gateway does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Passes as it is.
    Forward,
    /// `tools/call`: the policy decides.
    Judge,
    /// `tools/list`: passes, and its answer is filtered.
    Filter,
    /// `initialize` or `server/discover`: passes, and its answer is rewritten by [`crate::handshake`].
    Handshake,
    /// Does not pass.
    Refuse,
}

/// Parts of the protocol beside tools that a server may be opened for. A policy can't judge them, and each is a way
/// around one (a resource or a prompt can hold what a tool would return), so that none is open unless named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surfaces {
    /// `resources/*`.
    pub resources: bool,
    /// `prompts/*`.
    pub prompts: bool,
    /// `completion/complete`.
    pub completions: bool,
}

/// The rule for a message.
pub fn rule(era: Era, message: &Message<'_>, open: Surfaces) -> Rule {
    unimplemented!("{era:?} {message:?} {open:?}")
}

/// The answer to a message that [`rule`] refuses: `-32601`, 404 in the modern era, else 200 for a request and 400 for a
/// notification.
pub fn refusal(era: Era, message: &Message<'_>) -> Malformed {
    unimplemented!("{era:?} {message:?}")
}
