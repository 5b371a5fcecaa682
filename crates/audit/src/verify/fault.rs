//! What can be wrong with a chain, in words.

use std::fmt;

use chrono::NaiveDate;
use domain::DecisionId;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This row is not as it was written.
    Changed(DecisionId),
    /// This row was written and is not there.
    Removed(DecisionId),
    /// This row is there and was never written.
    SlippedIn(DecisionId),
    /// This row of a file does not stand where it was written.
    Moved(DecisionId),
    /// The batch of this number is missing or is not as it was written.
    Batch(i64),
    /// This line of a file is none that an export has, or none that it has there.
    Line(u64),
    /// A file ends before its last line.
    Cut,
    /// The head that somebody kept of this day is nowhere in the chain.
    Head(NaiveDate),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(id) => write!(f, "decision {id} was changed after it was written"),
            Self::Removed(id) => write!(f, "decision {id} was removed"),
            Self::SlippedIn(id) => write!(f, "decision {id} was slipped in"),
            Self::Moved(id) => write!(f, "decision {id} was moved to another place"),
            Self::Batch(number) => write!(f, "batch {number} of the chain was removed or changed"),
            Self::Line(number) => write!(f, "line {number} is none that an export has there"),
            Self::Cut => f.write_str("the file ends before its last line"),
            Self::Head(day) => write!(
                f,
                "the head that was kept of {day} is not in the chain: its end was cut off, or all of it was written anew"
            ),
        }
    }
}
