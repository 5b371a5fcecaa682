//! What HTTP headers say about a message: compared with the body, never believed on their own; and which of them pass.

mod content;
mod forward;
mod mirror;
mod param;
mod version;

use http::{HeaderMap, HeaderName, header};

pub use content::{Content, check_content, content_of};
pub use forward::{to_client, to_upstream};
pub use param::ParamHeaders;
pub use version::{check, check_bodiless};

use crate::Malformed;

/// The version that a message speaks.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// Mirrors `method`.
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// Mirrors what the method names: a tool, a prompt, a resource, a task.
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Legacy: the session. The gateway translates it between client and upstream, so that it never passes as it is.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// Legacy: where a stream resumes.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Prefix of the headers that mirror arguments.
const PARAM_PREFIX: &str = "mcp-param-";

/// Headers outside the mirrored ones that may stand once, for two readers could take different copies.
const SINGLE: [HeaderName; 7] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::ORIGIN,
    header::HOST,
    SESSION_ID,
    LAST_EVENT_ID,
];

/// Makes `Mcp-Name` mirror another name, where it stands.
pub fn rename(headers: &mut HeaderMap, name: &str) {
    if let Some(value) = headers.get_mut(NAME) {
        *value = mirror::encode(name);
    }
}

fn check_single(headers: &HeaderMap) -> Result<(), Malformed> {
    match SINGLE.iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        Some(name) => Err(Malformed::request("repeated header", format!("`{name}` may stand once"))),
        None => Ok(()),
    }
}

/// The one value of a mirrored header, of visible ASCII, space and tab.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Malformed> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Malformed::header("repeated header", format!("`{name}` may stand once")));
    }
    let text = value.to_str().map_err(|_| {
        Malformed::header(
            "header characters",
            format!("`{name}` has characters that a header can't carry: encode it"),
        )
    })?;
    Ok(Some(text))
}
