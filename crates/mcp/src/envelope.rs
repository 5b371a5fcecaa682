//! One message from a client: strict, closed, and of one meaning.

use std::borrow::Cow;

use crate::{Era, Id, Malformed};

/// Nesting of arrays and objects that is still read.
pub const MAX_DEPTH: usize = 64;

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
    pub params: Option<crate::json_soon::Value<'a>>,
    /// The era that the BODY speaks.
    pub era: Era,
    /// The version that the body names: `_meta` in the modern era, `params.protocolVersion` of an `initialize`.
    pub protocol_version: Option<Cow<'a, str>>,
    /// Who says it calls: `_meta` in the modern era, `params.clientInfo` of an `initialize`.
    pub client: Option<ClientInfo>,
}

/// A notification: a method without an id.
#[derive(Debug)]
pub struct Notification<'a> {
    /// Its method, exactly as sent.
    pub method: Cow<'a, str>,
    /// Its parameters: an object.
    pub params: Option<crate::json_soon::Value<'a>>,
    /// The version that `_meta` names.
    pub protocol_version: Option<Cow<'a, str>>,
}

/// A client's answer to a request of the server.
#[derive(Debug)]
pub struct Response<'a> {
    /// Id of the server's request.
    pub id: Id,
    /// `result`, or `error`.
    pub outcome: Result<crate::json_soon::Value<'a>, crate::json_soon::Value<'a>>,
}

/// Name and version that a client gives itself. Unproven: for the log and for policies that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientInfo {
    /// `clientInfo.name`.
    pub name: String,
    /// `clientInfo.version`, empty if absent.
    pub version: String,
}

/// Reads the body of a POST.
///
/// # Errors
/// Anything that two readers could understand differently, or that is not one message: byte order mark, invalid UTF-8,
/// duplicate keys, look-alikes of known keys, nesting beyond [`MAX_DEPTH`], a batch, an open top level, an id that is
/// neither text nor whole number, a request-only method without an id.
pub fn read(body: &[u8]) -> Result<Message<'_>, Malformed> {
    unimplemented!("{}", body.len())
}
