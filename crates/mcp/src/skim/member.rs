//! The members that a message, and a result in it, are told by.

use crate::Id;

/// Bytes of a key that are looked at: none of those that count is longer.
pub(super) const LONGEST: usize = 17;
/// Bytes of an id that are looked at.
const LONGEST_ID: usize = 8 * 1024;

/// A member whose value is looked at, or that may be once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// `jsonrpc`
    Version,
    /// `id`
    Id,
    /// `result`
    Result,
    /// `resultType`, in a result.
    Type,
    /// `isError`, in a result.
    Failed,
}

impl Member {
    /// Bytes of its value that are looked at.
    pub fn longest(self) -> usize {
        match self {
            Self::Id => LONGEST_ID,
            Self::Type | Self::Failed => 16,
            Self::Version | Self::Result => 0,
        }
    }
}

/// What a key says of where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Doubt,
    /// This is how a call ends.
    Ends,
    Member(Member),
}

impl Told {
    /// A key of a message.
    pub fn of_message(key: &[u8]) -> Self {
        match key {
            b"jsonrpc" => Self::Member(Member::Version),
            b"id" => Self::Member(Member::Id),
            b"result" => Self::Member(Member::Result),
            _ => Self::Doubt,
        }
    }

    /// A key of a result that may hold anything.
    pub fn of_result(key: &[u8]) -> Self {
        if key == b"isError" { Self::Member(Member::Failed) } else { Self::Nothing }
    }

    /// A key of a result that is to end a call. One that only looks like a key which counts does not pass: some read it all the same.
    pub fn of_call(key: &[u8]) -> Self {
        const OTHERS: [&str; 8] = [
            "content",
            "inputRequests",
            "isError",
            "requestState",
            "resultType",
            "structuredContent",
            "task",
            "taskId",
        ];
        match key {
            b"resultType" => Self::Member(Member::Type),
            b"isError" => Self::Member(Member::Failed),
            b"content" | b"structuredContent" => Self::Ends,
            _ if !key.is_ascii() => Self::Doubt,
            _ if OTHERS.iter().any(|other| key.eq_ignore_ascii_case(other.as_bytes())) => Self::Doubt,
            _ => Self::Nothing,
        }
    }
}

/// The id that this is, if it is one.
pub(super) fn id(text: &[u8]) -> Option<Id> {
    Id::read(&json::parse(text, 1).ok()?)
}
