//! The body that goes upstream.

use std::borrow::Cow;

use domain::{Surface, Surfaces};
use json::Value;

use crate::edit::{Edits, json_text};
use crate::envelope::{META_CAPABILITIES, META_TRACE};
use crate::methods::{INITIALIZE, LISTEN};
use crate::tasks::{self, Names};
use crate::{Message, listen};

/// What a message says otherwise upstream.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// What the policy opens: a client offers nothing else, and listens for nothing else.
    pub open: Surfaces,
    /// What becomes of `requestState`.
    pub state: StateGoing<'a>,
    /// The names in `inputResponses` that the client was asked for; none: all pass.
    pub asked: Option<&'a [String]>,
    /// The client's names of tasks to the upstream's.
    pub tasks: &'a Names,
    /// The `traceparent` in the place of the client's, if that has one in `_meta`.
    pub trace: Option<&'a str>,
}

/// What becomes of the state that a client brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateGoing<'a> {
    /// It stays as it is.
    Same,
    /// The upstream's own in its place.
    Opened(&'a str),
    /// Nothing: the upstream gave none.
    Left,
}

/// The bytes to send upstream: those that were judged, where nothing has to be said otherwise. `body` is what `message` was
/// read from.
pub fn upstream_body<'b>(body: &'b [u8], message: &Message<'_>, outgoing: &Outgoing<'_>) -> Cow<'b, [u8]> {
    let mut edits = Edits::default();
    if !outgoing.tasks.is_empty() {
        tasks::rename(message, outgoing.tasks, &mut edits);
    }
    if let Message::Request(request) = message {
        if let Some(declared) = request.meta(META_CAPABILITIES) {
            withhold(declared, outgoing.open, &mut edits);
        }
        if let (Some(ours), Some(theirs)) = (outgoing.trace, request.meta(META_TRACE)) {
            edits.replace(theirs.span, json_text(ours));
        }
        if request.method == INITIALIZE
            && let Some(declared) = request.param("capabilities")
        {
            withhold(declared, outgoing.open, &mut edits);
        }
        if request.method == LISTEN {
            listen::close(request, outgoing.open, &mut edits);
        }
        if let (StateGoing::Opened(state), Some(brought)) = (outgoing.state, request.param("requestState")) {
            edits.replace(brought.span, json_text(state));
        }
        // To a server that asked for nothing, nothing is answered.
        let unasked = outgoing.state == StateGoing::Left && outgoing.asked.is_some_and(<[_]>::is_empty);
        if let (StateGoing::Left, Some(params)) = (outgoing.state, &request.params) {
            edits.retain_members(params, |name| {
                name != "requestState" && !(unasked && name == "inputResponses")
            });
        }
        if let (Some(asked), Some(responses), false) =
            (outgoing.asked, request.param("inputResponses"), unasked)
        {
            edits.retain_members(responses, |name| asked.iter().any(|one| one == name));
        }
    }
    edits.apply(body).map_or(Cow::Borrowed(body), Cow::Owned)
}

/// A client offers what the server may ask of it. What the server would not get an answer to is not offered; nor are tasks
/// of the client's own (2025-11-25), by which a server would ask for the same on another way.
fn withhold(declared: &Value<'_>, open: Surfaces, edits: &mut Edits) {
    edits.retain_members(declared, |name| match name {
        "sampling" => open.has(Surface::Sampling),
        "elicitation" => open.has(Surface::Elicitation),
        "roots" => open.has(Surface::Roots),
        "tasks" => false,
        _ => true,
    });
}
