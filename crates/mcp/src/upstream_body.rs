//! The body that goes upstream.

use std::borrow::Cow;

use crate::edit::{Edits, json_text};
use crate::envelope::META_CAPABILITIES;
use crate::handshake::TASKS_EXTENSION;
use crate::methods::INITIALIZE;
use crate::{Message, Request};

/// The bytes to send upstream: those that were judged, less the client's offer to work with tasks, which the gateway does
/// not let through, and with `state`, if given, in the place of the `requestState` that it brings. `body` is what `message`
/// was read from.
pub fn upstream_body<'b>(body: &'b [u8], message: &Message<'_>, state: Option<&str>) -> Cow<'b, [u8]> {
    let Message::Request(request) = message else { return Cow::Borrowed(body) };
    let mut edits = Edits::default();
    withhold_tasks(request, &mut edits);
    if let (Some(state), Some(brought)) = (state, request.param("requestState")) {
        edits.replace(brought.span, json_text(state));
    }
    edits.apply(body).map_or(Cow::Borrowed(body), Cow::Owned)
}

fn withhold_tasks(request: &Request<'_>, edits: &mut Edits) {
    if let Some(extensions) = request.meta(META_CAPABILITIES).and_then(|declared| declared.get("extensions"))
    {
        edits.retain_members(extensions, |name| name != TASKS_EXTENSION);
    }
    if request.method == INITIALIZE
        && let Some(capabilities) = request.param("capabilities")
    {
        edits.retain_members(capabilities, |name| name != "tasks");
    }
}
