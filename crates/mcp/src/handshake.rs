//! The answers to `initialize` and `server/discover`: the version in them is read, and what the gateway blocks is not
//! offered, so that clients don't try it.

use json::Value;

use crate::edit::Edits;
use crate::lists::keep_private;
use crate::{Era, Surfaces, Unreadable, Version, server};

/// The extension for tasks, in the `extensions` of modern capabilities.
pub(crate) const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// What the answer to an `initialize` settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Initialized {
    /// The version of the session.
    pub version: Version,
    /// The answer without the capabilities that are blocked; nothing if it may pass as it is.
    pub body: Option<Vec<u8>>,
}

/// Reads the answer to an `initialize`: a body, or the data of one event. Nothing settled if it is another message (a
/// notification of the stream, or an error of the upstream), which passes as it is.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or a version with sessions that the gateway does not speak.
pub fn initialized(body: &[u8], open: Surfaces) -> Result<Option<Initialized>, Unreadable> {
    let value = server::parse(body)?;
    let Some(result) = result_of(&value)? else { return Ok(None) };
    let version = result
        .get("protocolVersion")
        .and_then(Value::as_str)
        .and_then(Version::parse)
        .filter(|version| version.era() == Era::Legacy)
        .ok_or(Unreadable("it settles a version that this gateway does not speak"))?;
    let mut edits = Edits::default();
    offer(result, open, &mut edits);
    Ok(Some(Initialized { version, body: edits.apply(body) }))
}

/// Rewrites the answer to a `server/discover`: only versions that both speak, only capabilities that are let through,
/// private, and kept for at most `max_ttl_ms`. Nothing if it may pass as it is.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or no version is spoken by both.
pub fn discovered(body: &[u8], open: Surfaces, max_ttl_ms: u64) -> Result<Option<Vec<u8>>, Unreadable> {
    let value = server::parse(body)?;
    let Some(result) = result_of(&value)? else { return Ok(None) };
    let versions = result.get("supportedVersions").ok_or(Unreadable::MESSAGE)?;
    let spoken = |version: &Value<'_>| version.as_str().and_then(Version::parse).is_some();
    if !versions.as_array().unwrap_or_default().iter().any(spoken) {
        return Err(Unreadable("it offers no version that this gateway speaks"));
    }
    let mut edits = Edits::default();
    edits.retain_elements(versions, spoken);
    offer(result, open, &mut edits);
    keep_private(result, max_ttl_ms, &mut edits);
    Ok(edits.apply(body))
}

/// The result of a response; nothing for an error or for a message of another kind.
fn result_of<'v, 'a>(message: &'v Value<'a>) -> Result<Option<&'v Value<'a>>, Unreadable> {
    let object = message.as_object().ok_or(Unreadable::MESSAGE)?;
    if object.get("method").is_some() || object.get("error").is_some() {
        return Ok(None);
    }
    object.get("result").filter(|result| result.as_object().is_some()).map(Some).ok_or(Unreadable::MESSAGE)
}

/// Takes the capabilities out that the gateway blocks: tasks, what is not open, and what nobody knows.
fn offer(result: &Value<'_>, open: Surfaces, edits: &mut Edits) {
    let Some(capabilities) = result.get("capabilities") else { return };
    edits.retain_members(capabilities, |name| match name {
        "tools" | "logging" | "experimental" | "extensions" => true,
        "resources" => open.resources,
        "prompts" => open.prompts,
        "completions" => open.completions,
        _ => false,
    });
    if let Some(extensions) = capabilities.get("extensions") {
        edits.retain_members(extensions, |name| name != TASKS_EXTENSION);
    }
}
