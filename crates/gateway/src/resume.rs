//! Where a stream is resumed (legacy). An upstream without sessions knows a stream by the ids of its events alone, and takes
//! all our grants for one caller: so ids travel sealed for one grant and server.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use mcp::headers::LAST_EVENT_ID;
use mcp::{Malformed, code};
use vault::Place;

use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::Gateway;

/// Longest id that is opened; ours are far shorter.
const MAX_SEALED: usize = 4096;

fn place(view: &GrantView) -> Place<'static> {
    Place::EventId { tenant: view.tenant, grant: view.grant }
}

/// An event's id as the client is told it.
pub(crate) fn seal(gateway: &Gateway, view: &GrantView, id: &[u8]) -> Option<Vec<u8>> {
    let plain = [view.server.uuid().as_bytes(), id].concat();
    let record = gateway.parts.keyring.seal(&plain, place(view), &gateway.parts.entropy).ok()?;
    Some(URL_SAFE_NO_PAD.encode(record).into_bytes())
}

/// Puts the upstream's id in the place of the client's, where one is sent.
pub(crate) fn open(gateway: &Gateway, view: &GrantView, headers: &mut HeaderMap) -> Result<(), Refusal> {
    let Some(sealed) = headers.remove(LAST_EVENT_ID).filter(|id| !id.is_empty()) else { return Ok(()) };
    let id = opened(gateway, view, sealed.as_bytes()).ok_or_else(unknown)?;
    headers.insert(LAST_EVENT_ID, id);
    Ok(())
}

fn opened(gateway: &Gateway, view: &GrantView, sealed: &[u8]) -> Option<HeaderValue> {
    let record = URL_SAFE_NO_PAD.decode(sealed).ok().filter(|_| sealed.len() <= MAX_SEALED)?;
    let plain = gateway.parts.keyring.open(&record, place(view)).ok()?;
    let id = plain.expose().strip_prefix(view.server.uuid().as_bytes())?;
    HeaderValue::from_bytes(id).ok()
}

fn unknown() -> Refusal {
    Refusal::Malformed(Malformed {
        http_status: http::StatusCode::BAD_REQUEST,
        code: code::INVALID_REQUEST,
        message: "`Last-Event-ID` is of no event of this grant: open the stream without it".to_owned(),
        data: None,
        id: None,
        reason: "unknown event id",
    })
}
