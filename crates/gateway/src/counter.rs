//! Which counter a limit counts on. Two limits share a count when scope, counter name, window and key value agree:
//! neither the tool nor the rule nor the maximum is part of it, so that an edit of a policy forgets nothing.

use ledger::Window;
use policy::{Align, Charge, Scope, Unit};

use crate::directory::GrantView;
use crate::sessions::Session;

/// The charge as the ledger counts it.
pub(crate) fn charge(view: &GrantView, session: Option<&Session>, charge: &Charge) -> ledger::Charge {
    let limit = &charge.limit;
    let window = window(limit.window, limit.align);
    ledger::Charge {
        counter: identity(view, session, charge, window),
        window,
        max: limit.max_micros,
        amount: charge.amount_micros,
        shadow: charge.shadow,
    }
}

/// A hash over every part behind its length, so that no two lists of parts give the same bytes.
fn identity(view: &GrantView, session: Option<&Session>, charge: &Charge, window: Window) -> [u8; 32] {
    let mut text = Vec::with_capacity(160);
    let mut part = |bytes: &[u8]| {
        text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        text.extend_from_slice(bytes);
    };
    match (charge.limit.scope, session) {
        (Scope::Session, Some(session)) => {
            part(b"session");
            part(view.grant.uuid().as_bytes());
            part(session.upstream.as_bytes());
        }
        (Scope::Session | Scope::Grant, _) => {
            part(b"grant");
            part(view.grant.uuid().as_bytes());
        }
        (Scope::Identity, _) => {
            part(b"identity");
            part(view.identity.as_bytes());
        }
        (Scope::Server, _) => {
            part(b"server");
            part(view.server.uuid().as_bytes());
        }
        (Scope::Organisation, _) => part(b"organisation"),
    }
    part(charge.limit.counter.as_bytes());
    match window {
        Window::Sliding { seconds } => part(&[&b"sliding"[..], &seconds.to_be_bytes()].concat()),
        Window::Calendar { seconds } => part(&[&b"calendar"[..], &seconds.to_be_bytes()].concat()),
        Window::CalendarMonth => part(b"calendar month"),
    }
    if let Some(key) = &charge.key {
        part(key.as_bytes());
    }
    vault::sha256(&text)
}

fn window(window: policy::Window, align: Align) -> Window {
    let seconds = match window {
        policy::Window::Seconds(seconds) => seconds,
        policy::Window::Unit(Unit::Second) => 1,
        policy::Window::Unit(Unit::Minute) => 60,
        policy::Window::Unit(Unit::Hour) => 3600,
        policy::Window::Unit(Unit::Day) => 86_400,
        policy::Window::Unit(Unit::Month) if align == Align::Calendar => return Window::CalendarMonth,
        policy::Window::Unit(Unit::Month) => 30 * 86_400,
    };
    match align {
        Align::Sliding => Window::Sliding { seconds },
        Align::Calendar => Window::Calendar { seconds },
    }
}
