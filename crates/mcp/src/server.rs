//! One message from an upstream, read as far as the gateway needs.

use json::Value;

use crate::{Id, Unreadable};

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
    /// A JSON-RPC error, whatever its code.
    Error,
}

impl Ending {
    /// Whether a modern client that was offered no extension may see it: `complete`, `input_required`, or an error. A
    /// task, or what nobody knows, was not asked for.
    pub fn is_core(&self) -> bool {
        match self {
            Self::Result { result_type: Some(kind), .. } => kind == "complete" || kind == "input_required",
            Self::Result { result_type: None, .. } | Self::Error => true,
        }
    }
}

/// Reads an HTTP body or the data of one event: one message, or (2025-03-26) an array of them.
///
/// # Errors
/// [`Unreadable`]: not JSON without doubt, or not a message.
pub fn read(body: &[u8]) -> Result<Vec<ServerMessage>, Unreadable> {
    let value = parse(body)?;
    messages(&value).iter().map(message).collect()
}

/// An upstream's JSON, read as strictly as a client's but nested deeper.
pub(crate) fn parse(body: &[u8]) -> Result<Value<'_>, Unreadable> {
    json::parse(body, json::MAX_DEPTH).map_err(|_| Unreadable::JSON)
}

/// The message, or those of an array.
pub(crate) fn messages<'v, 'a>(value: &'v Value<'a>) -> &'v [Value<'a>] {
    value.as_array().unwrap_or(std::slice::from_ref(value))
}

pub(crate) fn message(value: &Value<'_>) -> Result<ServerMessage, Unreadable> {
    let object = value.as_object().ok_or(Unreadable::MESSAGE)?;
    let id = object.get("id").and_then(Id::read);
    if let Some(method) = object.get("method") {
        let method = method.as_str().ok_or(Unreadable::MESSAGE)?.to_owned();
        return match (object.get("id"), id) {
            (None, _) => Ok(ServerMessage::Notification { method }),
            (Some(_), Some(id)) => Ok(ServerMessage::Request { id, method }),
            (Some(_), None) => Err(Unreadable::MESSAGE),
        };
    }
    let ending = match (object.get("result"), object.get("error")) {
        (Some(result), None) => Ending::Result {
            is_error: result.get("isError").and_then(Value::as_bool) == Some(true),
            result_type: result.get("resultType").and_then(Value::as_str).map(str::to_owned),
        },
        (None, Some(_)) => Ending::Error,
        _ => return Err(Unreadable::MESSAGE),
    };
    Ok(ServerMessage::Response { id, ending })
}
