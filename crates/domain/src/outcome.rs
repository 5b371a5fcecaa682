//! What became of a request.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The outcome of one request, as the log stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Judged, recorded and forwarded.
    Allow,
    /// A rule refused it.
    Deny,
    /// The tool is hidden from this grant: refused as if it did not exist.
    Hidden,
    /// A limit was used up.
    Limit,
    /// A human must approve it first.
    Pending,
    /// Allowed, but the upstream failed.
    Error,
    /// No valid grant for a server that exists.
    Unauthenticated,
    /// The request could not be read safely.
    Malformed,
}

impl Outcome {
    /// Every outcome, in the order that charts stack them.
    pub const ALL: [Self; 8] = [
        Self::Allow,
        Self::Deny,
        Self::Hidden,
        Self::Limit,
        Self::Pending,
        Self::Error,
        Self::Unauthenticated,
        Self::Malformed,
    ];

    /// The word in the database, the API and the page's address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Hidden => "hidden",
            Self::Limit => "limit",
            Self::Pending => "pending",
            Self::Error => "error",
            Self::Unauthenticated => "unauthenticated",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|outcome| outcome.as_str()).collect();
            format!("`{text}` is not an outcome: use one of {}", known.join(", "))
        })
    }
}
