//! The answers to `initialize` and `server/discover`: the version in them is read, and what the gateway blocks is not
//! offered, so that clients don't try it.

use domain::{Surface, Surfaces};
use json::Value;

use crate::edit::Edits;
use crate::lists::keep_private;
use crate::{Era, Unreadable, Version};

/// What the answer to an `initialize` settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initialized {
    /// The version of the session.
    pub version: Version,
    /// The server tells when its list of tools changes, so that clients listen for it.
    pub tells_of_tools: bool,
}

/// Reads the answer to an `initialize`, and takes out of it what is closed. Nothing settled if it is another message (a
/// notification of the stream, or an error of the upstream), which passes as it is.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or a version with sessions that the gateway does not speak.
pub(crate) fn settle(
    message: &Value<'_>,
    open: Surfaces,
    edits: &mut Edits,
) -> Result<Option<Initialized>, Unreadable> {
    let Some(result) = result_of(message)? else { return Ok(None) };
    let version = result
        .get("protocolVersion")
        .and_then(Value::as_str)
        .and_then(Version::parse)
        .filter(|version| version.era() == Era::Legacy)
        .ok_or(Unreadable("it settles a version that this gateway does not speak"))?;
    offer(result, open, edits);
    let tools = result.get("capabilities").and_then(|capabilities| capabilities.get("tools"));
    let tells = tools.and_then(|tools| tools.get("listChanged")).and_then(Value::as_bool);
    Ok(Some(Initialized { version, tells_of_tools: tells == Some(true) }))
}

/// Rewrites the answer to a `server/discover`: only versions that both speak, only capabilities that are let through,
/// private, and kept for at most `max_ttl_ms`.
///
/// # Errors
/// [`Unreadable`]: not an answer of the protocol, or no version is spoken by both.
pub(crate) fn discover(
    message: &Value<'_>,
    open: Surfaces,
    max_ttl_ms: u64,
    edits: &mut Edits,
) -> Result<(), Unreadable> {
    let Some(result) = result_of(message)? else { return Ok(()) };
    let versions = result.get("supportedVersions").ok_or(Unreadable::MESSAGE)?;
    let spoken = |version: &Value<'_>| version.as_str().and_then(Version::parse).is_some();
    if !versions.as_array().unwrap_or_default().iter().any(spoken) {
        return Err(Unreadable("it offers no version that this gateway speaks"));
    }
    edits.retain_elements(versions, spoken);
    offer(result, open, edits);
    keep_private(result, max_ttl_ms, edits);
    Ok(())
}

/// The result of a response; nothing for an error or for a message of another kind.
fn result_of<'v, 'a>(message: &'v Value<'a>) -> Result<Option<&'v Value<'a>>, Unreadable> {
    let object = message.as_object().ok_or(Unreadable::MESSAGE)?;
    if object.get("method").is_some() || object.get("error").is_some() {
        return Ok(None);
    }
    object.get("result").filter(|result| result.as_object().is_some()).map(Some).ok_or(Unreadable::MESSAGE)
}

/// Takes the capabilities out that are closed, and those that nobody knows.
fn offer(result: &Value<'_>, open: Surfaces, edits: &mut Edits) {
    let Some(capabilities) = result.get("capabilities") else { return };
    edits.retain_members(capabilities, |name| match name {
        "tools" | "tasks" | "logging" | "experimental" | "extensions" => true,
        "resources" => open.has(Surface::Resources),
        "prompts" => open.has(Surface::Prompts),
        "completions" => open.has(Surface::Completion),
        _ => false,
    });
}
