//! `Mcp-Method` and `Mcp-Name`: what they mirror, and how a value that a header can't carry is encoded.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{METHOD, NAME, single};
use crate::{Era, Malformed, Request};

/// Holds `Mcp-Method` against the body. The modern era demands it of requests; where it stands, it must agree.
pub(super) fn check_method(headers: &HeaderMap, method: &str, required: bool) -> Result<(), Malformed> {
    match single(headers, &METHOD)? {
        Some(header) if header == method => Ok(()),
        None if !required => Ok(()),
        None => Err(missing(&METHOD)),
        Some(_) => Err(different(&METHOD)),
    }
}

/// Holds `Mcp-Name` against the body: required of modern requests that name something, and never there for others.
pub(super) fn check_name(headers: &HeaderMap, request: &Request<'_>, era: Era) -> Result<(), Malformed> {
    let key = match request.method.as_ref() {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    };
    let named = key.and_then(|key| request.param(key)).and_then(json::Value::as_str);
    match (single(headers, &NAME)?, named) {
        (None, Some(_)) if era == Era::Modern => Err(missing(&NAME)),
        (None, _) => Ok(()),
        (Some(header), named) if Some(decode(&NAME, header)?.as_ref()) == named => Ok(()),
        (Some(_), _) => Err(different(&NAME)),
    }
}

/// The text that a mirrored header stands for: itself, or what `=?base64?..?=` encodes. Strict: markers in lower case,
/// the standard alphabet, whole padding, UTF-8.
pub(super) fn decode<'a>(name: &HeaderName, value: &'a str) -> Result<Cow<'a, str>, Malformed> {
    const OPEN: &str = "=?base64?";
    const CLOSE: &str = "?=";
    if !(value.starts_with(OPEN) && value.ends_with(CLOSE)) {
        return Ok(Cow::Borrowed(value));
    }
    value
        .strip_prefix(OPEN)
        .and_then(|rest| rest.strip_suffix(CLOSE))
        .and_then(|encoded| BASE64_STANDARD.decode(encoded).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Cow::Owned)
        .ok_or_else(|| {
            Malformed::header("header encoding", format!("`{name}` is not well encoded base64 of UTF-8"))
        })
}

/// A text as a mirrored header carries it.
pub(super) fn encode(text: &str) -> HeaderValue {
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text;
    let taken = text.starts_with("=?base64?");
    let value = if plain && !taken { HeaderValue::try_from(text).ok() } else { None };
    value.unwrap_or_else(|| {
        let encoded = format!("=?base64?{}?=", BASE64_STANDARD.encode(text));
        HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static(""))
    })
}

pub(super) fn missing(name: &HeaderName) -> Malformed {
    Malformed::header("missing header", format!("`{name}` is missing: it must mirror the body"))
}

pub(super) fn different(name: &HeaderName) -> Malformed {
    Malformed::header("header mismatch", format!("`{name}` says something else than the body"))
}
