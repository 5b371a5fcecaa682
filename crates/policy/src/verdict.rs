//! What judging answers.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::limit::Cost;
use crate::path::Path;

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
    /// Whether the message is the document's own.
    pub(crate) message_is_written: bool,
    pub(crate) cost: Cost,
    /// One count per value of this.
    pub(crate) key: Option<Path>,
}

/// Who shares a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Window {
    /// A named unit.
    Unit(Unit),
    /// Whole seconds, 1 to 2678400.
    Seconds(#[schemars(range(min = 1, max = 2_678_400))] u32),
}

/// A named unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Align {
    /// Never more than `max` in any span of that length.
    Sliding,
    /// Resets at the UTC boundary.
    Calendar,
}

impl Limit {
    /// Whether it is one of `all_tools` that holds for every call alike: once it is used up, nothing more can be called. One of a
    /// session, or of each value of an argument, leaves others.
    pub fn is_of_all_calls(&self) -> bool {
        self.rule.starts_with("/all_tools/") && self.scope != Scope::Session && self.key.is_none()
    }

    /// Whether both count on the same counter, where they are asked for the same key.
    pub(crate) fn shares_count(&self, other: &Self) -> bool {
        let identity = |limit: &Self| (limit.scope, limit.align, limit.window.seconds());
        self.counter == other.counter && identity(self) == identity(other)
    }
}

impl Scope {
    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("session", Self::Session),
        ("grant", Self::Grant),
        ("identity", Self::Identity),
        ("server", Self::Server),
        ("organisation", Self::Organisation),
    ];

    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Grant => "grant",
            Self::Identity => "identity",
            Self::Server => "server",
            Self::Organisation => "organisation",
        }
    }
}

impl Window {
    /// How long a sliding window is: a month has 30 days.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Unit(Unit::Second) => 1,
            Self::Unit(Unit::Minute) => 60,
            Self::Unit(Unit::Hour) => 3_600,
            Self::Unit(Unit::Day) => 86_400,
            Self::Unit(Unit::Month) => 2_592_000,
        }
    }
}

impl Unit {
    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("second", Self::Second),
        ("minute", Self::Minute),
        ("hour", Self::Hour),
        ("day", Self::Day),
        ("month", Self::Month),
    ];

    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl Align {
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("sliding", Self::Sliding), ("calendar", Self::Calendar)];

    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sliding => "sliding",
            Self::Calendar => "calendar",
        }
    }
}

impl ShadowOutcome {
    /// The word of the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Hide => "hide",
            Self::Pending => "pending",
        }
    }
}

/// Millionths as a decimal: 1500000 is `1.5`.
pub(crate) fn decimal(micros: u64) -> String {
    let (whole, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let text = format!("{whole}.{fraction:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
