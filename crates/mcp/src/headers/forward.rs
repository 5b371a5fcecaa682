//! Which headers pass. Allow-lists: what is not named stays here, credentials, cookies, forwarding and hop-by-hop headers
//! among it.

use http::{HeaderMap, HeaderName, header};

use super::{LAST_EVENT_ID, METHOD, NAME, PARAM_PREFIX, PROTOCOL_VERSION};
use crate::{Era, Version};

/// Request headers that go upstream in both eras.
const UP: [HeaderName; 7] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    PROTOCOL_VERSION,
    METHOD,
    NAME,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// Response headers that reach the client.
const DOWN: [HeaderName; 3] = [header::CONTENT_TYPE, header::CACHE_CONTROL, header::RETRY_AFTER];

/// The request headers that go upstream, of a message that passed [`super::check`]. The session id is not among them (the
/// gateway translates it), nor is anything that the gateway sets itself.
pub fn to_upstream(headers: &HeaderMap, version: Version) -> HeaderMap {
    let era = version.era();
    only(headers, |name| {
        UP.contains(name)
            || (era == Era::Legacy && *name == LAST_EVENT_ID)
            // Older revisions mirror no arguments: nobody held these against the body.
            || (era == Era::Modern && name.as_str().starts_with(PARAM_PREFIX))
    })
}

/// The response headers that reach the client. The session id is not among them (the gateway seals it).
pub fn to_client(headers: &HeaderMap) -> HeaderMap {
    only(headers, |name| DOWN.contains(name))
}

fn only(headers: &HeaderMap, passes: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| passes(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
