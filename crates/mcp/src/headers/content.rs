//! `Content-Type` and `Content-Encoding`, of requests and of upstream responses.

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::check_single;
use crate::{Malformed, Unreadable};

/// What an upstream's response carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `application/json`.
    Json,
    /// `text/event-stream`.
    Events,
    /// Anything else, or nothing.
    Other,
}

/// Checks what can be checked before the body of a POST is read: a `Content-Type` of JSON in UTF-8, no
/// `Content-Encoding`, no header twice that may stand once.
///
/// # Errors
/// 415 for content, 400 for a repeated header.
pub fn check_content(headers: &HeaderMap) -> Result<(), Malformed> {
    check_single(headers)?;
    let unsupported =
        |reason, message| Malformed::request(reason, message).status(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported("content encoding", "an encoded body: send it without `Content-Encoding`"));
    }
    let is_json =
        headers.get(header::CONTENT_TYPE).is_some_and(|value| is_utf8_of(value, "application/json"));
    if is_json {
        Ok(())
    } else {
        Err(unsupported("content type", "`Content-Type` must be application/json, in UTF-8"))
    }
}

/// What an upstream's response carries.
///
/// # Errors
/// [`Unreadable`] if it is encoded, which nobody asked for (the gateway asks for `identity`), or typed twice.
pub fn content_of(headers: &HeaderMap) -> Result<Content, Unreadable> {
    let identity = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(identity) {
        return Err(Unreadable("it is encoded"));
    }
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let content = types.next().map_or(Content::Other, |value| {
        if is_utf8_of(value, "application/json") {
            Content::Json
        } else if is_utf8_of(value, "text/event-stream") {
            Content::Events
        } else {
            Content::Other
        }
    });
    if types.next().is_some() {
        return Err(Unreadable("it has two content types"));
    }
    Ok(content)
}

/// Whether a `Content-Type` is of this media type and names no charset but UTF-8.
fn is_utf8_of(value: &HeaderValue, media_type: &str) -> bool {
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    let same = parts.next().is_some_and(|found| found.eq_ignore_ascii_case(media_type));
    same && parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim_end().eq_ignore_ascii_case("charset") => {
            charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}
