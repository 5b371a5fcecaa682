//! What an upstream asks of the client: sampling, elicitation, roots, and what its settings list. Each is judged by the
//! policy and written down before the client sees it. What may not pass, the gateway answers itself.

use std::sync::Arc;

use domain::{Outcome, Surface, Surfaces};
use http::HeaderValue;
use ledger::Appended;
use mcp::methods::{Asked, asked, asking};
use mcp::server::ServerMessage;
use mcp::{Asks, Draft, Era, Id, Unreadable, code, reply};

use super::pass::Passed;
use super::{Kind, Reply};
use crate::arrival::Arrival;
use crate::asked::Question;
use crate::close::Ending;
use crate::denial::Denial;
use crate::directory::GrantView;
use crate::judge::{self, Ask, Judged, Subject};
use crate::record;
use crate::state::GatewayState;
use crate::upstream;

const UNRECORDED: &str = "the request can't be recorded now: ask again in a moment";

impl Reply {
    /// Takes out of a legacy message what the client may not be asked, and answers it. Whether anything is left.
    pub(super) async fn questions(
        &self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        messages: &[ServerMessage],
        draft: &mut Draft<'_>,
    ) -> bool {
        let mut refused = Vec::new();
        for (place, message) in messages.iter().enumerate() {
            let ServerMessage::Request { id, method } = message else { continue };
            let subject = match asked(method) {
                Asked::Nothing => None,
                Asked::Surface(surface) => Some(Subject::Surface(surface)),
                Asked::Unknown if view.target.lets_pass(method) => Some(Subject::Custom(method)),
                Asked::Unknown => Some(Subject::Unknown),
            };
            let allowed = match subject {
                Some(subject) => Box::pin(self.ask(gateway, view, subject, method)).await,
                None => Ok(()),
            };
            let asked = match allowed {
                Ok(()) => self.keep(gateway, view, id, method).await,
                refused => refused,
            };
            if let Err(denial) = asked {
                let session = self.asker().cloned();
                let body = denial.map_or_else(
                    || reply::error(Some(id), code::INTERNAL_ERROR, UNRECORDED, None),
                    |denial| denial.error_body(id, code::METHOD_NOT_FOUND),
                );
                upstream::answer(gateway, view, self.version, session, body);
                refused.push(place);
            }
        }
        if refused.len() == messages.len() && !refused.is_empty() {
            return false;
        }
        if !refused.is_empty() {
            draft.retain(|place| !refused.contains(&place));
        }
        true
    }

    /// The session that a request of the server belongs to.
    fn asker(&self) -> Option<&HeaderValue> {
        self.session.as_ref().map(|session| &session.upstream).or(self.opened.as_ref())
    }

    /// Keeps a request until it is answered. Outside of a session no answer passes.
    async fn keep(
        &self,
        gateway: &GatewayState,
        view: &GrantView,
        id: &Id,
        method: &str,
    ) -> Result<(), Option<Denial>> {
        let Some(session) = self.asker() else { return Ok(()) };
        let kept = Question::in_session(view, session, id).keep(gateway, view, method).await;
        if kept { Ok(()) } else { Err(None) }
    }

    /// Forgets what the server no longer wants to know.
    pub(super) async fn taken_back(&self, gateway: &GatewayState, view: &GrantView, draft: &Draft<'_>) {
        let Some(session) = self.asker() else { return };
        for id in draft.cancels() {
            // One that can't be forgotten is forgotten by itself.
            let _ = Question::in_session(view, session, &id).end(gateway, view).await;
        }
    }

    /// Puts a denial in the place of an error by which a server asks for the person at the client, where it may not. Modern
    /// servers have no such error.
    pub(super) async fn asked_by_error(
        &self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        draft: &mut Draft<'_>,
    ) -> Result<(), Unreadable> {
        for (place, id) in draft.asks_by_error() {
            if self.era() == Era::Modern {
                return Err(Unreadable::LEGACY_ERROR);
            }
            let subject = Subject::Surface(Surface::Elicitation);
            let method = asking(Surface::Elicitation).unwrap_or_default();
            let Err(denial) = Box::pin(self.ask(gateway, view, subject, method)).await else { continue };
            let Some(denial) = denial else { return Err(Unreadable("what it asks can't be recorded now")) };
            let plain = self.kind == Kind::Call && !self.wants_task;
            draft.replace(
                place,
                match &id {
                    Some(id) if plain => denial.result_body(id, Era::Legacy),
                    Some(id) => denial.error_body(id, code::INVALID_PARAMS),
                    None => return Err(Unreadable("it asks the client by an error that answers nothing")),
                },
            );
        }
        Ok(())
    }

    /// What the client gets in the place of a modern answer that asks for what it may not be asked; nothing if that may
    /// pass.
    pub(super) async fn withheld(
        &self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        asks: Vec<Asks>,
    ) -> Result<Option<Passed>, Unreadable> {
        let surfaces: Surfaces = asks.iter().map(|one| one.surface).collect();
        for surface in Surface::ALL.into_iter().filter(|surface| surfaces.has(*surface)) {
            let method = asking(surface).unwrap_or_default();
            let Err(denial) = Box::pin(self.ask(gateway, view, Subject::Surface(surface), method)).await
            else {
                continue;
            };
            let Some(denial) = denial else { return Err(Unreadable("what it asks can't be recorded now")) };
            let body = match (&self.id, self.kind) {
                (Some(id), Kind::Call) => denial.result_body(id, Era::Modern),
                (Some(id), Kind::Surface | Kind::Task(_)) => denial.error_body(id, code::INVALID_PARAMS),
                _ => return Ok(Some(Passed { dropped: true, ..Passed::default() })),
            };
            return Ok(Some(Passed { body: Some(body), ending: Some(Ending::Done), ..Passed::default() }));
        }
        for one in asks {
            let (Some(task), Some(method)) = (&one.task, asking(one.surface)) else { continue };
            if !Question::of_task(view, task, &one.name).keep(gateway, view, method).await {
                return Err(Unreadable("what it asks can't be kept now"));
            }
        }
        Ok(None)
    }

    /// Judges one and writes it down. A refusal without a denial: it could not be written down.
    async fn ask(
        &self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        subject: Subject<'_>,
        method: &str,
    ) -> Result<(), Option<Denial>> {
        let at = gateway.parts.clock.now();
        let mut arrival = Arrival::of_server(gateway.parts.entropy.id(at), at, view);
        arrival.method = Some(method.chars().take(128).collect());
        arrival.tool.clone_from(&self.tool);
        arrival.version = Some(self.version);
        arrival.trace_id.clone_from(&self.trace_id);
        let ask = Ask {
            session: self.session.as_ref(),
            client: self.client.as_ref(),
            ..Ask::new(subject, self.version)
        };
        let judged = judge::judge(view, &ask, false);
        let decision = record::question(&arrival, view, &ask, &judged);
        if !written(gateway, &decision).await {
            return Err(None);
        }
        gateway.parts.metrics.count(decision.outcome);
        gateway.tell(None, &decision, None);
        match judged {
            Judged::Allow { .. } => Ok(()),
            Judged::Refuse { refusal, .. } | Judged::Pending { refusal, .. } => {
                let message = format!("the server asks its client for `{method}`: {}", refusal.message);
                Err(Some(Denial::new(view, decision.id, Outcome::Deny, &refusal.rule, &message)))
            }
        }
    }
}

/// Whether a decision is on record.
async fn written(gateway: &GatewayState, decision: &audit::Decision) -> bool {
    let Ok(bytes) = decision.to_bytes() else { return false };
    match gateway.parts.ledger.append(decision.tenant, &bytes, None).await {
        Ok(Appended::Recorded | Appended::Repeated) => true,
        Ok(Appended::Full) => false,
        Err(error) => {
            tracing::warn!(decision = %decision.id, %error, "a decision is written down without redis");
            audit::record_direct(&gateway.parts.storage, decision).await.is_ok()
        }
    }
}
