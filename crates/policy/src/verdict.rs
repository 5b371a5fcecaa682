//! What judging answers.

use std::sync::Arc;

/// The most that a limit can hold, in millionths: 9,000,000,000.
pub const MAX_AMOUNT_MICROS: u64 = 9_000_000_000_000_000;

/// What becomes of a call, before any limit is taken.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It may go on once these limits are taken, all together.
    Allow {
        /// The tool's, then `all_tools`'.
        charges: Vec<Charge>,
        /// In shadow mode: what would have happened.
        shadow: Option<Shadow>,
    },
    /// A rule refuses it.
    Deny(Refusal),
    /// The tool is hidden: answer as if it did not exist.
    Hide(Refusal),
    /// A human must approve it.
    Pending {
        /// The rule that asks.
        refusal: Refusal,
        /// Seconds that the question stands, where the rule says it.
        expires_in: Option<u64>,
    },
}

/// Which rule refused, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// JSON Pointer of the rule in the document as written, or one of `(no policy)`, `(invalid policy)`, `(hidden)`,
    /// `(default deny)`, `(tool changed)`.
    pub rule: Arc<str>,
    /// For the caller.
    pub message: Arc<str>,
    /// For the log: JSON Pointers of the conditions that decided.
    pub conditions: Vec<String>,
}

/// What shadow mode let pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// What it would have been.
    pub outcome: ShadowOutcome,
    /// By which rule.
    pub refusal: Refusal,
}

/// What a call in shadow mode would have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShadowOutcome {
    /// Denied.
    Deny,
    /// Hidden.
    Hide,
    /// Held for a human.
    Pending,
}

/// One limit to take.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// The limit, shared with the policy.
    pub limit: Arc<Limit>,
    /// Millionths, rounded up; at most [`MAX_AMOUNT_MICROS`] + 1, which no limit holds.
    pub amount_micros: u64,
    /// Canonical text of the value that the count is per.
    pub key: Option<String>,
    /// Counted on counters of their own, and never refuses.
    pub shadow: bool,
}

/// A limit of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// JSON Pointer as written.
    pub rule: Arc<str>,
    /// The counter's name.
    pub counter: Arc<str>,
    /// Who shares the count.
    pub scope: Scope,
    /// How long it counts.
    pub window: Window,
    /// How windows begin.
    pub align: Align,
    /// Millionths, rounded down.
    pub max_micros: u64,
    /// Given back too when the result says `isError: true`.
    pub refund_on_error: bool,
    /// For the caller, when it is used up.
    pub message: Arc<str>,
}

/// Who shares a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The MCP session where there is one, else the grant.
    Session,
    /// The grant.
    Grant,
    /// Whoever acts through grants of the same identity.
    Identity,
    /// All grants of the server.
    Server,
    /// The organisation.
    Organisation,
}

/// A span of time that a limit counts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Window {
    /// A named unit.
    Unit(Unit),
    /// Whole seconds, 1 to 2678400.
    Seconds(u32),
}

/// A named unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// 1 second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
    /// 86,400 seconds.
    Day,
    /// 30 days when sliding, a month of the calendar when aligned.
    Month,
}

/// How windows begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Align {
    /// Never more than `max` in any span of that length.
    Sliding,
    /// Resets at the UTC boundary.
    Calendar,
}

/// Step 1: the grant has no policy.
pub fn no_policy() -> Refusal {
    unimplemented!()
}

/// Step 2: the stored document can't be read.
pub fn invalid() -> Refusal {
    unimplemented!()
}
