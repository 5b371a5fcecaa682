//! JSON-RPC error codes that the gateway answers with. None of them is its own invention.

/// The body is not JSON, or not JSON that every reader understands alike.
pub const PARSE_ERROR: i32 = -32_700;
/// JSON, but not a message of the protocol; also a batch.
pub const INVALID_REQUEST: i32 = -32_600;
/// A method that does not exist, or that the gateway does not let through.
pub const METHOD_NOT_FOUND: i32 = -32_601;
/// Parameters that are missing or of the wrong form; also an unknown tool.
pub const INVALID_PARAMS: i32 = -32_602;
/// The upstream could not be reached or did not answer in the protocol.
pub const INTERNAL_ERROR: i32 = -32_603;
/// 2025-11-25: the client is to send a person to an address first. Relayed where elicitation is open, never our own.
pub const URL_ELICITATION_REQUIRED: i32 = -32_042;
/// 2026-07-28: a header says something else than the body.
pub const HEADER_MISMATCH: i32 = -32_020;
/// 2026-07-28: the client did not declare a capability that the request needs.
pub const MISSING_CLIENT_CAPABILITY: i32 = -32_021;
/// 2026-07-28: a protocol version that the gateway does not speak.
pub const UNSUPPORTED_VERSION: i32 = -32_022;
