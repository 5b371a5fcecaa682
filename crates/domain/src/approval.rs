//! Where a question about a call stands that a person must approve.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The state of an approval, as people are shown it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalState {
    /// Waits for a person.
    Pending,
    /// A person allowed the call, and it has not been made since.
    Approved,
    /// The call that was allowed has been made: an approval is good for one.
    Used,
    /// A person refused the call.
    Refused,
    /// Nobody decided in time, or the call was not made in time.
    Expired,
    /// The client no longer wants to make the call.
    Withdrawn,
}

impl ApprovalState {
    /// All of them, in the order that filters list them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Approved, Self::Used, Self::Refused, Self::Expired, Self::Withdrawn];

    /// The word in the API and the page's address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Used => "used",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl fmt::Display for ApprovalState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ApprovalState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| {
            format!("`{text}` is no state of an approval: use pending, approved, used, refused, expired or withdrawn")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_as_it_is_written() {
        for state in ApprovalState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert!("Approved".parse::<ApprovalState>().is_err());
    }
}
