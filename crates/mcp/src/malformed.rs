//! A message that is refused before any policy is asked, and the bytes to answer it with.

use http::StatusCode;
use serde_json::{Value, json};

use crate::{Id, Version, code, reply};

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
    pub data: Option<Box<Value>>,
    /// Id of the refused request, if it has one that can be trusted.
    pub id: Option<Id>,
    /// A few fixed words for the log, one per kind of refusal.
    pub reason: &'static str,
}

impl Malformed {
    /// A refusal with status 400 and no id.
    pub(crate) fn new(code: i32, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            http_status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            data: None,
            id: None,
            reason,
        }
    }

    /// `-32600`: not one message of the protocol.
    pub(crate) fn request(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(code::INVALID_REQUEST, reason, message)
    }

    /// `-32602`: parameters.
    pub(crate) fn params(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMS, reason, message)
    }

    /// `-32020`: a header that says something else than the body, or nothing readable.
    pub(crate) fn header(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(code::HEADER_MISMATCH, reason, message)
    }

    /// `-32022`: a version that is not among `supported`.
    pub(crate) fn version(requested: &str, supported: impl Iterator<Item = Version>) -> Self {
        let supported: Vec<_> = supported.map(Version::as_str).collect();
        let message = format!("unsupported protocol version: use one of {}", supported.join(", "));
        Self {
            data: Some(Box::new(json!({ "supported": supported, "requested": requested }))),
            ..Self::new(code::UNSUPPORTED_VERSION, "unsupported version", message)
        }
    }

    /// The same with another status.
    pub(crate) fn status(self, http_status: StatusCode) -> Self {
        Self { http_status, ..self }
    }

    /// The same, echoing an id.
    #[must_use]
    pub fn for_id(self, id: Option<Id>) -> Self {
        Self { id, ..self }
    }

    /// The JSON-RPC error to answer with; `id` is null where none is known.
    pub fn body(&self) -> Vec<u8> {
        reply::error(self.id.as_ref(), self.code, &self.message, self.data.as_deref())
    }
}
