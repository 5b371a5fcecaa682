//! Sessions of the legacy era. The upstream calls with one credential for all our grants, so it can't tell them apart:
//! what the client holds is its session id sealed for one grant and server, and opens for nobody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ServerId;
use http::{HeaderMap, HeaderName, HeaderValue};
use mcp::handshake::Initialized;
use mcp::{ClientInfo, Version};
use serde::{Deserialize, Serialize};
use vault::Place;

use crate::directory::GrantView;
use crate::state::Gateway;

/// Names the session, in both directions.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// Longest name or version of a client that is kept: a longer one counts as not given.
const MAX_CLIENT: usize = 128;
/// Longest session id that is opened; ours are far shorter.
const MAX_SEALED: usize = 4096;

/// A session that a client presented, or that an upstream has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// What the client holds.
    pub sealed: HeaderValue,
    /// What the upstream knows it by.
    pub upstream: HeaderValue,
    /// What the handshake settled.
    pub version: Version,
    /// The server said that it tells when its list of tools changes.
    pub tells_of_tools: bool,
    /// Who said, in the handshake, that it calls.
    pub client: Option<ClientInfo>,
}

/// What is sealed. Short names: it travels with every request.
#[derive(Serialize, Deserialize)]
struct Inner {
    s: ServerId,
    v: String,
    u: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    l: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<(String, String)>,
}

/// The header is there and is not a session of this grant at this server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown;

/// The session that a request names, if it names one.
pub(crate) fn presented(
    gateway: &Gateway,
    view: &GrantView,
    headers: &HeaderMap,
) -> Result<Option<Session>, Unknown> {
    let mut values = headers.get_all(SESSION).iter();
    let Some(sealed) = values.next() else { return Ok(None) };
    if values.next().is_some() || sealed.len() > MAX_SEALED {
        return Err(Unknown);
    }
    let record = URL_SAFE_NO_PAD.decode(sealed.as_bytes()).map_err(|_| Unknown)?;
    let place = Place::McpSession { tenant: view.tenant, grant: view.grant };
    let opened = gateway.parts.keyring.open(&record, place).map_err(|_| Unknown)?;
    let inner: Inner = serde_json::from_slice(opened.expose()).map_err(|_| Unknown)?;
    if inner.s != view.server {
        return Err(Unknown);
    }
    Ok(Some(Session {
        // A copy: a stream keeps it, and with a part of the request it would keep the whole.
        sealed: HeaderValue::from_bytes(sealed.as_bytes()).map_err(|_| Unknown)?,
        upstream: HeaderValue::try_from(inner.u).map_err(|_| Unknown)?,
        version: Version::parse(&inner.v).ok_or(Unknown)?,
        tells_of_tools: inner.l,
        client: inner.c.map(|(name, version)| ClientInfo { name, version }),
    }))
}

/// Seals the session that an upstream has opened; none when its id can't be carried.
pub(crate) fn seal(
    gateway: &Gateway,
    view: &GrantView,
    upstream: &HeaderValue,
    settled: Initialized,
    client: Option<&ClientInfo>,
) -> Option<HeaderValue> {
    let short = |client: &&ClientInfo| client.name.len().max(client.version.len()) <= MAX_CLIENT;
    let inner = Inner {
        s: view.server,
        v: settled.version.as_str().to_owned(),
        u: upstream.to_str().ok()?.to_owned(),
        l: settled.tells_of_tools,
        c: client.filter(short).map(|client| (client.name.clone(), client.version.clone())),
    };
    let place = Place::McpSession { tenant: view.tenant, grant: view.grant };
    let plain = serde_json::to_vec(&inner).ok()?;
    let record = gateway.parts.keyring.seal(&plain, place, &gateway.parts.entropy).ok()?;
    HeaderValue::try_from(URL_SAFE_NO_PAD.encode(record)).ok()
}
