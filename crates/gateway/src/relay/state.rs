//! `requestState` of requests in several rounds (2026-07-28). The upstream binds it to its principal, which all our grants
//! share; so it travels sealed for one grant, server, request and arguments, and opens for nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::ServerId;
use mcp::{Era, Message, Request, state};
use serde::{Deserialize, Serialize};
use vault::Place;

use super::Reply;
use crate::arrival::Arrival;
use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::Gateway;

/// How long a state may be brought back, in seconds: a person may have to be found in between.
const LIVES: i64 = 24 * 60 * 60;

/// What a state is bound to, beside its grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateSeal {
    #[serde(rename = "s")]
    server: ServerId,
    #[serde(rename = "m")]
    method: String,
    /// The tool, prompt or resource.
    #[serde(rename = "t")]
    name: String,
    #[serde(rename = "a")]
    arguments: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(flatten)]
    bound: StateSeal,
    /// Seconds since the Unix epoch.
    e: i64,
    /// The upstream's own.
    u: String,
}

impl StateSeal {
    /// For a modern request that may take several rounds; none for anything else.
    pub fn of(request: &Request<'_>, arrival: &Arrival) -> Option<Self> {
        let key = match request.method.as_ref() {
            _ if request.era == Era::Legacy => return None,
            "tools/call" | "prompts/get" => "name",
            "resources/read" => "uri",
            _ => return None,
        };
        let name = request.param(key).and_then(json::Value::as_str)?.to_owned();
        let arguments = arrival.arguments.as_ref().map(|arguments| arguments.digest.clone());
        Some(Self { server: arrival.server, method: request.method.clone().into_owned(), name, arguments })
    }
}

fn place(view: &GrantView) -> Place<'static> {
    Place::RequestState { tenant: view.tenant, grant: view.grant }
}

/// An upstream's state, sealed; nothing if it can't be.
pub(super) fn seal(gateway: &Gateway, view: &GrantView, bound: &StateSeal, upstream: &str) -> Option<String> {
    let e = gateway.parts.clock.now().timestamp() + LIVES;
    let plain = serde_json::to_vec(&Sealed { bound: bound.clone(), e, u: upstream.to_owned() }).ok()?;
    let record = gateway.parts.keyring.seal(&plain, place(view), &gateway.parts.entropy).ok()?;
    Some(URL_SAFE_NO_PAD.encode(record))
}

impl Reply {
    /// The upstream's state that a request brings back, if it brings one: sealed here, for this very request, and not too
    /// old.
    pub fn brought_state(
        &self,
        gateway: &Gateway,
        view: &GrantView,
        message: &Message<'_>,
    ) -> Result<Option<String>, Refusal> {
        let Message::Request(request) = message else { return Ok(None) };
        let Some(text) = state::brought(request)? else { return Ok(None) };
        let opened = self.open_state(gateway, view, text);
        opened.map(Some).ok_or_else(|| state::refused(request).into())
    }

    fn open_state(&self, gateway: &Gateway, view: &GrantView, text: &str) -> Option<String> {
        let record = URL_SAFE_NO_PAD.decode(text).ok()?;
        let opened = gateway.parts.keyring.open(&record, place(view)).ok()?;
        let sealed: Sealed = serde_json::from_slice(opened.expose()).ok()?;
        let fits =
            self.seal.as_ref() == Some(&sealed.bound) && sealed.e > gateway.parts.clock.now().timestamp();
        fits.then_some(sealed.u)
    }
}
