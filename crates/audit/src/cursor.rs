//! Places in the log, as texts that a client hands back.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::DecisionId;

/// The text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a cursor: use the one that the last page gave, unchanged")]
pub struct CursorError(pub(crate) String);

/// Behind which row a page of [`search`](crate::search) goes on: rows are newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) decided_at: DateTime<Utc>,
    pub(crate) id: DecisionId,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{}", self.decided_at.timestamp_micros(), self.id.uuid().simple())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let read = || {
            let (micros, id) = text.split_once('-')?;
            let decided_at = DateTime::from_timestamp_micros(i64::from_str_radix(micros, 16).ok()?)?;
            let id = uuid::Uuid::try_parse(id).ok()?;
            Some(Self { decided_at, id: id.into() })
        };
        read().ok_or_else(|| CursorError(text.chars().take(80).collect()))
    }
}

/// How far a live tail has read: the number of the tenant's last batch it saw, so that no row is missed however the
/// gateways' clocks stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailCursor(pub(crate) i64);

impl fmt::Display for TailCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for TailCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        match text.parse() {
            Ok(batch) if batch >= 0 => Ok(Self(batch)),
            _ => Err(CursorError(text.chars().take(80).collect())),
        }
    }
}
