//! One message from a client: strict, closed, and of one meaning.
//!
//! Readers that differ are the way around a gateway: one takes the first of two equal keys and another the last, one folds
//! case, one drops a byte order mark. So whatever could be read in two ways is refused here, and what passes may be
//! forwarded byte for byte.

mod keys;
mod read;

use std::borrow::Cow;

pub use read::{MAX_DEPTH, read};

use crate::{Era, Id};

/// Key of the protocol version in the `_meta` of a modern message.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Key of the client's name and version in the `_meta` of a modern message.
pub const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
/// Key of the client's capabilities in the `_meta` of a modern message.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// Key of `_meta`: the place of a request in its client's trace, as the header of that name has it.
pub const META_TRACE: &str = "traceparent";

/// One message from a client.
#[derive(Debug)]
pub enum Message<'a> {
    /// Wants an answer.
    Request(Request<'a>),
    /// Wants none.
    Notification(Notification<'a>),
    /// Answers a request of the server; only in the legacy era.
    Response(Response<'a>),
}

/// A request: a method, an id, and parameters that are an object if present.
#[derive(Debug)]
pub struct Request<'a> {
    /// Its id, to be echoed.
    pub id: Id,
    /// Its method, exactly as sent.
    pub method: Cow<'a, str>,
    /// Its parameters: an object.
    pub params: Option<json::Value<'a>>,
    /// The era that the BODY speaks.
    pub era: Era,
    /// The version that the body names: `_meta` in the modern era, `params.protocolVersion` of an `initialize`.
    pub protocol_version: Option<String>,
    /// Who says it calls: `_meta` in the modern era, `params.clientInfo` of an `initialize`.
    pub client: Option<ClientInfo>,
}

/// A notification: a method without an id.
#[derive(Debug)]
pub struct Notification<'a> {
    /// Its method, exactly as sent.
    pub method: Cow<'a, str>,
    /// Its parameters: an object.
    pub params: Option<json::Value<'a>>,
    /// The version that `_meta` names.
    pub protocol_version: Option<String>,
}

/// A client's answer to a request of the server.
#[derive(Debug)]
pub struct Response<'a> {
    /// Id of the server's request.
    pub id: Id,
    /// `result` or `error`, each an object.
    pub outcome: Result<json::Value<'a>, json::Value<'a>>,
}

/// Name and version that a client gives itself. Unproven: for the log and for policies that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// `clientInfo.name`.
    pub name: String,
    /// `clientInfo.version`, empty if absent.
    pub version: String,
}

impl ClientInfo {
    /// Characters of a name or version that are still taken. Longer ones count as absent.
    pub const MAX: usize = 200;

    fn read(value: &json::Value<'_>) -> Option<Self> {
        let text = |key| {
            value.get(key).and_then(json::Value::as_str).filter(|text| text.chars().count() <= Self::MAX)
        };
        Some(Self { name: text("name")?.to_owned(), version: text("version").unwrap_or_default().to_owned() })
    }
}

impl<'a> Request<'a> {
    /// A parameter.
    pub fn param(&self, key: &str) -> Option<&json::Value<'a>> {
        self.params.as_ref()?.get(key)
    }

    /// A member of `params._meta`.
    pub fn meta(&self, key: &str) -> Option<&json::Value<'a>> {
        self.param("_meta")?.get(key)
    }
}
