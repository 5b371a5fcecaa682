//! `requestState` of requests in several rounds (2026-07-28). The upstream binds it to its principal, which all our grants
//! share; so it travels sealed for one grant, server, request and arguments, and opens for nothing else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ApprovalId, ServerId, Surface, Surfaces};
use mcp::{Asks, Era, Message, Request, StateGoing, TaskMethod, state};
use serde::{Deserialize, Serialize};
use storage::TakenApproval;
use vault::Place;

use super::{Kind, Reply};
use crate::arrival::Arrival;
use crate::asked;
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
    /// The upstream's own, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<String>,
    /// What was asked: the name of each answer, and what it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    q: Vec<(String, String)>,
    /// The approval that let this round through, and the round.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<(ApprovalId, i32)>,
}

/// What a request of a further round brings back.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    sealed: bool,
    upstream: Option<String>,
    /// The names that it may answer by; none: any.
    pub asked: Option<Vec<String>>,
    /// What it answers.
    pub answers: Surfaces,
    /// The approval that let the round before through.
    pub approved: Option<TakenApproval>,
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

/// An upstream's state, and what it asks, sealed; nothing if it can't be.
pub(super) fn seal(
    gateway: &Gateway,
    view: &GrantView,
    (bound, approval): (&StateSeal, Option<TakenApproval>),
    (upstream, asked): (Option<&str>, &[Asks]),
) -> Option<String> {
    let e = gateway.parts.clock.now().timestamp() + LIVES;
    let q = asked.iter().map(|one| (one.name.clone(), one.surface.as_str().to_owned())).collect();
    let p = approval.map(|taken| (taken.id, taken.round));
    write(gateway, view, &Sealed { bound: bound.clone(), e, u: upstream.map(str::to_owned), q, p })
}

fn write(gateway: &Gateway, view: &GrantView, sealed: &Sealed) -> Option<String> {
    let plain = serde_json::to_vec(&sealed).ok()?;
    let record = gateway.parts.keyring.seal(&plain, place(view), &gateway.parts.entropy).ok()?;
    Some(URL_SAFE_NO_PAD.encode(record))
}

impl Brought {
    /// Whether it is a call's first round.
    pub fn is_first(&self) -> bool {
        !self.sealed && self.asked.is_none() && self.answers == Surfaces::NONE
    }

    /// What goes upstream in the place of the client's state.
    pub fn state(&self) -> StateGoing<'_> {
        match &self.upstream {
            Some(upstream) => StateGoing::Opened(upstream),
            None if self.sealed => StateGoing::Left,
            None => StateGoing::Same,
        }
    }

    /// Answers to what was asked, and to nothing else.
    fn to(asked: Vec<(String, Surface)>, names: &[&str]) -> Self {
        let answers = asked.iter().filter(|(name, _)| names.contains(&name.as_str()));
        let answers = answers.map(|(_, surface)| *surface).collect();
        Self { asked: Some(asked.into_iter().map(|(name, _)| name).collect()), answers, ..Self::default() }
    }
}

impl Reply {
    /// What a request brings back from the round before: a state that was sealed here, for this very request, and is not too
    /// old; and answers, to what was asked.
    pub async fn brought(
        &self,
        gateway: &Gateway,
        view: &GrantView,
        message: &Message<'_>,
    ) -> Result<Brought, Refusal> {
        let Message::Request(request) = message else { return Ok(Brought::default()) };
        let names = asked::answers(request)?;
        if let Some(text) = state::brought(request)? {
            let sealed = self.open_state(gateway, view, text).ok_or_else(|| state::refused(request))?;
            let upstream = sealed.u.clone();
            let approved = sealed.p.map(|(id, round)| TakenApproval { id, round });
            return Ok(Brought { sealed: true, upstream, approved, ..Brought::to(sealed.asked(), &names) });
        }
        if names.is_empty() {
            return Ok(Brought::default());
        }
        if self.kind == Kind::Task(TaskMethod::Update) {
            let task = self.names.keys().next().map(String::as_str).unwrap_or_default();
            let asked = asked::by_task(gateway, view, task, &names).await?;
            return Ok(Brought::to(asked, &names));
        }
        // Nobody can say what these answer: it may be anything that a server asks.
        let answers = [Surface::Sampling, Surface::Elicitation, Surface::Roots].into_iter().collect();
        Ok(Brought { answers, ..Brought::default() })
    }

    /// A state for a call that a person must approve first: it brings the call back, and nothing for the upstream.
    pub fn awaiting(&self, gateway: &Gateway, view: &GrantView) -> Option<String> {
        let e = gateway.parts.clock.now().timestamp() + LIVES;
        let bound = self.seal.clone()?;
        write(gateway, view, &Sealed { bound, e, u: None, q: Vec::new(), p: None })
    }

    fn open_state(&self, gateway: &Gateway, view: &GrantView, text: &str) -> Option<Sealed> {
        let record = URL_SAFE_NO_PAD.decode(text).ok()?;
        let opened = gateway.parts.keyring.open(&record, place(view)).ok()?;
        let sealed: Sealed = serde_json::from_slice(opened.expose()).ok()?;
        let fits =
            self.seal.as_ref() == Some(&sealed.bound) && sealed.e > gateway.parts.clock.now().timestamp();
        fits.then_some(sealed)
    }
}

impl Sealed {
    fn asked(self) -> Vec<(String, Surface)> {
        let known = |text: &str| Surface::ALL.into_iter().find(|surface| surface.as_str() == text);
        self.q.into_iter().filter_map(|(name, surface)| Some((name, known(&surface)?))).collect()
    }
}
