//! A message that is refused before any policy is asked, and the bytes to answer it with.

use http::StatusCode;
use serde_json::Value;

use crate::{Id, reply};

/// Why a message was refused, as an answer to its sender and a reason for the log.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// Status of the HTTP response.
    pub http_status: StatusCode,
    /// JSON-RPC error code.
    pub code: i32,
    /// For whoever sent it: what is wrong and how to mend it. Holds no argument value.
    pub message: String,
    /// `error.data`, where the protocol asks for one.
    pub data: Option<Value>,
    /// Id of the refused request, if it has one that can be trusted.
    pub id: Option<Id>,
    /// A few fixed words for the log, one per kind of refusal.
    pub reason: &'static str,
}

impl Malformed {
    /// The JSON-RPC error to answer with; `id` is null where none is known.
    pub fn body(&self) -> Vec<u8> {
        reply::error(self.id.as_ref(), self.code, &self.message, self.data.as_ref())
    }
}
