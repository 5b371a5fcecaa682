//! What HTTP headers say about a message: compared with the body, never believed on their own; and which of them pass.

use http::HeaderMap;

use crate::{Malformed, Message, ToolCall, Version};

/// Checks what can be checked before the body is read: exactly one `Content-Type` of JSON in UTF-8, no
/// `Content-Encoding`, no header twice that may stand once.
///
/// # Errors
/// 415 for content, 400 for a repeated header.
pub fn check_content(headers: &HeaderMap) -> Result<(), Malformed> {
    unimplemented!("{}", headers.len())
}

/// Holds the headers against the message and answers the version that it speaks.
///
/// `session` is the version that the handshake of the session settled, if there is one. An `initialize` is answered with
/// the version that it asks for, or the newest with sessions.
///
/// # Errors
/// 400 with the code of the protocol: a version that the gateway does not speak, or headers that disagree with the body.
pub fn check(
    headers: &HeaderMap,
    message: &Message<'_>,
    session: Option<Version>,
) -> Result<Version, Malformed> {
    unimplemented!("{} {message:?} {session:?}", headers.len())
}

/// The version that a GET or DELETE speaks; both exist in the legacy era alone.
///
/// # Errors
/// 400 for a version that the gateway does not speak or that is not the session's; 405 for the modern era.
pub fn check_bodiless(headers: &HeaderMap, session: Option<Version>) -> Result<Version, Malformed> {
    unimplemented!("{} {session:?}", headers.len())
}

/// The arguments of one tool that its schema wants mirrored in `Mcp-Param-*` headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamHeaders {}

impl ParamHeaders {
    /// Finds the `x-mcp-header` marks of an `inputSchema`.
    pub fn of(schema: &serde_json::Value) -> Self {
        unimplemented!("{schema}")
    }

    /// Holds the `Mcp-Param-*` headers against the arguments. For modern calls only.
    ///
    /// # Errors
    /// 400 `-32020`: missing, repeated, undecodable or different.
    pub fn check(&self, headers: &HeaderMap, call: &ToolCall<'_>) -> Result<(), Malformed> {
        unimplemented!("{} {call:?}", headers.len())
    }
}

/// The request headers that go upstream. Everything else stays here: credentials, cookies, forwarding and hop-by-hop.
/// The session id is not among them (the gateway translates it).
pub fn to_upstream(headers: &HeaderMap, version: Version) -> HeaderMap {
    unimplemented!("{} {version}", headers.len())
}

/// The response headers that reach the client. The session id is not among them (the gateway seals it).
pub fn to_client(headers: &HeaderMap) -> HeaderMap {
    unimplemented!("{}", headers.len())
}
