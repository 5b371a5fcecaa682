//! One message from an upstream, read as far as the gateway needs.

use crate::{Id, lists::Unreadable};

/// What an upstream's message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    /// Answers the request of this id (none where the upstream could not tell).
    Response {
        /// The request's id.
        id: Option<Id>,
        /// How it ended.
        ending: Ending,
    },
    /// Asks the client something; the modern era has none.
    Request {
        /// The server's own id.
        id: Id,
        /// `sampling/createMessage`, `elicitation/create`, `roots/list`, `ping`.
        method: String,
    },
    /// Tells the client something.
    Notification {
        /// Its method.
        method: String,
    },
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// A result.
    Result {
        /// `isError: true`: the tool ran and failed.
        is_error: bool,
        /// `resultType`: `complete`, `input_required`, ..; absent in the legacy era, where it means `complete`.
        result_type: Option<String>,
    },
    /// A JSON-RPC error of this code.
    Error(i64),
}

/// Reads an HTTP body or the data of one event: one message, or (2025-03-26) an array of them.
///
/// # Errors
/// [`Unreadable`]: not JSON without doubt, or not a message.
pub fn read(body: &[u8]) -> Result<Vec<ServerMessage>, Unreadable> {
    unimplemented!("{}", body.len())
}
