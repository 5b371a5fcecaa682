//! Protocol revisions and the two eras they fall into.

use std::fmt;

/// How messages travel: with a handshake and an optional session, or each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// 2025-03-26 to 2025-11-25: `initialize`, then an optional session.
    Legacy,
    /// From 2026-07-28 on: stateless, each request names its version in `_meta` and in a header.
    Modern,
}

/// A protocol revision that the gateway speaks. Ordered by age, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 2025-03-26, the first of Streamable HTTP.
    V2025_03_26,
    /// 2025-06-18.
    V2025_06_18,
    /// 2025-11-25, the last with sessions.
    V2025_11_25,
    /// 2026-07-28, stateless.
    V2026_07_28,
}

/// Every revision that the gateway speaks, newest first.
pub const SUPPORTED: [Version; 4] =
    [Version::V2026_07_28, Version::V2025_11_25, Version::V2025_06_18, Version::V2025_03_26];

impl Version {
    /// What a client speaks that never named a version: the rule of the revisions with sessions.
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// The newest revision with sessions.
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// The revision of exactly this name, if the gateway speaks it.
    pub fn parse(text: &str) -> Option<Self> {
        SUPPORTED.into_iter().find(|version| version.as_str() == text)
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The era that it belongs to.
    pub const fn era(self) -> Era {
        match self {
            Self::V2025_03_26 | Self::V2025_06_18 | Self::V2025_11_25 => Era::Legacy,
            Self::V2026_07_28 => Era::Modern,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
