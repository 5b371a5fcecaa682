//! The version that a message speaks: decided from the body, and the header must agree.

use http::{HeaderMap, StatusCode};

use super::{PROTOCOL_VERSION, check_single, mirror, single};
use crate::envelope::{META_CAPABILITIES, META_VERSION};
use crate::methods::INITIALIZE;
use crate::{Era, Malformed, Message, Notification, Request, SUPPORTED, Version};

/// Holds the headers against the message and answers the version that it speaks.
///
/// `session` is the version that the handshake of the session settled, if there is one. An `initialize` is answered with
/// the version that it asks for, or the newest with sessions.
///
/// # Errors
/// 400: `-32020` for a header that is missing, repeated, unreadable or different from the body, `-32022` for a version
/// that the gateway does not speak, `-32602` for a modern request without the `_meta` that each must carry, `-32600` for a
/// response in the modern era.
pub fn check(
    headers: &HeaderMap,
    message: &Message<'_>,
    session: Option<Version>,
) -> Result<Version, Malformed> {
    match message {
        Message::Request(request) => check_request(headers, request, session)
            .map_err(|refused| refused.for_id(Some(request.id.clone()))),
        Message::Notification(notification) => check_notification(headers, notification, session),
        Message::Response(_) => match named(headers)? {
            Some(version) if version.era() == Era::Modern => {
                Err(Malformed::request("response", "this revision forbids clients to send responses"))
            }
            legacy => Ok(session.or(legacy).unwrap_or(Version::ASSUMED)),
        },
    }
}

/// The version that a GET or DELETE speaks; both exist in the legacy era alone.
///
/// # Errors
/// 400 for a repeated header, 400 `-32022` for a version that the gateway does not speak, 405 for the modern era.
pub fn check_bodiless(headers: &HeaderMap, session: Option<Version>) -> Result<Version, Malformed> {
    check_single(headers)?;
    match named(headers)? {
        Some(version) if version.era() == Era::Modern => {
            Err(Malformed::request("method", "this revision has only POST")
                .status(StatusCode::METHOD_NOT_ALLOWED))
        }
        legacy => Ok(session.or(legacy).unwrap_or(Version::ASSUMED)),
    }
}

fn check_request(
    headers: &HeaderMap,
    request: &Request<'_>,
    session: Option<Version>,
) -> Result<Version, Malformed> {
    let version = match request.era {
        Era::Modern => modern(headers, request)?,
        Era::Legacy => legacy(headers, request, session)?,
    };
    mirror::check_method(headers, &request.method, version.era() == Era::Modern)?;
    mirror::check_name(headers, request, version.era())?;
    Ok(version)
}

/// A request whose body names its version.
fn modern(headers: &HeaderMap, request: &Request<'_>) -> Result<Version, Malformed> {
    let body = request.protocol_version.as_deref().unwrap_or_default();
    match single(headers, &PROTOCOL_VERSION)? {
        None => return Err(mirror::missing(&PROTOCOL_VERSION)),
        Some(header) if header != body => return Err(mirror::different(&PROTOCOL_VERSION)),
        Some(_) => {}
    }
    let version = stateless(body)?;
    if request.meta(META_CAPABILITIES).and_then(json::Value::as_object).is_none() {
        return Err(missing_meta(META_CAPABILITIES));
    }
    Ok(version)
}

/// A request whose body names none.
fn legacy(
    headers: &HeaderMap,
    request: &Request<'_>,
    session: Option<Version>,
) -> Result<Version, Malformed> {
    let header = named(headers)?;
    if header.is_some_and(|version| version.era() == Era::Modern) {
        return Err(missing_meta(META_VERSION));
    }
    if request.method == INITIALIZE {
        let asked = request.protocol_version.as_deref().and_then(Version::parse);
        let asked = asked.filter(|version| version.era() == Era::Legacy);
        return Ok(asked.unwrap_or(Version::NEWEST_LEGACY));
    }
    Ok(session.or(header).unwrap_or(Version::ASSUMED))
}

/// The modern era leaves open which headers a notification carries: those that are there must agree.
fn check_notification(
    headers: &HeaderMap,
    notification: &Notification<'_>,
    session: Option<Version>,
) -> Result<Version, Malformed> {
    let header = single(headers, &PROTOCOL_VERSION)?;
    let version = match (&notification.protocol_version, header) {
        (Some(body), Some(header)) if header != body => return Err(mirror::different(&PROTOCOL_VERSION)),
        (Some(body), _) => stateless(body)?,
        (None, _) => match named(headers)? {
            Some(version) if version.era() == Era::Modern => version,
            legacy => session.or(legacy).unwrap_or(Version::ASSUMED),
        },
    };
    mirror::check_method(headers, &notification.method, false)?;
    Ok(version)
}

/// The version of this name, which must be one that messages name for themselves. Those of the older revisions are spoken,
/// but after an `initialize`, and no `server/discover` lists them.
fn stateless(name: &str) -> Result<Version, Malformed> {
    let modern = |version: &Version| version.era() == Era::Modern;
    Version::parse(name)
        .filter(modern)
        .ok_or_else(|| Malformed::version(name, SUPPORTED.into_iter().filter(modern)))
}

/// The version that the header names, if it names one.
fn named(headers: &HeaderMap) -> Result<Option<Version>, Malformed> {
    single(headers, &PROTOCOL_VERSION)?
        .map(|name| Version::parse(name).ok_or_else(|| Malformed::version(name, SUPPORTED.into_iter())))
        .transpose()
}

fn missing_meta(key: &str) -> Malformed {
    Malformed::params("missing _meta", format!("`params._meta[\"{key}\"]` is missing or of the wrong type"))
}
