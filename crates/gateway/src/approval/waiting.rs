//! How a client waits for a person: it is sent to a page of ours and comes back, it gets a handle to ask about, or it is held for a
//! moment and told to call again. Whichever it is, the call is judged anew before it goes on.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use mcp::{Message, Request, elicit, tasks};
use storage::Standing;
use tokio::time::{Instant, sleep_until};

use super::{call_of, handle, question, unavailable};
use crate::arrival::Arrival;
use crate::denial::{self, Denial};
use crate::directory::{Found, GrantView};
use crate::judge::Ask;
use crate::permit::{self, Permit, Ruling};
use crate::refusal::Refusal;
use crate::relay::{Brought, Reply};
use crate::state::GatewayState;

/// How often it is looked whether somebody has decided.
const LOOK: Duration = Duration::from_millis(500);
/// Calls of one gateway that are held at once; others are told to call again at once.
pub(crate) const HELD: usize = 64;

/// A call that was denied as pending, on its way to a person.
pub(crate) struct Waiting<'a> {
    pub gateway: &'a GatewayState,
    pub message: &'a Message<'a>,
    pub ask: &'a Ask<'a>,
    pub reply: &'a Reply,
    /// What it brings back from the round before.
    pub brought: &'a Brought,
}

impl Waiting<'_> {
    /// Asks a person about the call. It may go on when they allow it while it is held; else this is what the client is told.
    pub async fn wait(
        &self,
        arrival: &mut Arrival,
        denial: Denial,
    ) -> Result<Result<Permit, Response>, Refusal> {
        // In a box of its own, which calls that nobody has to approve have no room for.
        Box::pin(self.ask_and_wait(arrival, denial)).await
    }

    async fn ask_and_wait(
        &self,
        arrival: &mut Arrival,
        mut denial: Denial,
    ) -> Result<Result<Permit, Response>, Refusal> {
        let Some(view) = arrival.view.clone() else { return Err(Refusal::Internal) };
        let Message::Request(request) = self.message else { return Err(Refusal::Internal) };
        let asking = question::ask(self.gateway, &view, arrival, self.ask, &denial);
        let question = match asking.await? {
            Ok(Some(question)) => question,
            Ok(None) => return self.again(&view, arrival).await,
            Err(why) => {
                denial.message = format!("{}; {why}", denial.message);
                return self.denied(&view, &denial).await;
            }
        };
        denial.question = Some((question, self.gateway.approval_url(question.id)));
        if self.ask.call().is_some_and(|call| call.task_augmented) {
            return self.denied(&view, &denial).await;
        }
        if elicit::is_offered(request) && self.brought.is_first() {
            return Ok(Err(self.elicit(&view, request, &denial)?));
        }
        let opened = elicit::answered(request);
        if opened.is_none() && tasks::are_offered(request) {
            return Ok(Err(handle::made(self.gateway, &view, request, &denial, &question)?));
        }
        if opened == Some(false) || !self.hold(&view, arrival).await? {
            return self.denied(&view, &denial).await;
        }
        self.again(&view, arrival).await
    }

    /// Sends the person at the client to the page where the call can be approved.
    fn elicit(&self, view: &GrantView, request: &Request<'_>, denial: &Denial) -> Result<Response, Refusal> {
        let Some((question, url)) = &denial.question else { return Err(Refusal::Internal) };
        let state = self.reply.awaiting(self.gateway, view).ok_or(Refusal::Internal)?;
        let message = format!("{}: open the page to approve or refuse the call", denial.message);
        let body = elicit::ask(&request.id, (url, &question.id.to_string()), &message, &state);
        Ok(denial::json(body))
    }

    /// Holds the call until somebody has decided, or it has been long enough; whether anything may have changed.
    async fn hold(&self, view: &GrantView, arrival: &Arrival) -> Result<bool, Refusal> {
        let Some(call) = call_of(view, arrival, self.ask) else { return Ok(false) };
        let Ok(_held) = self.gateway.holds.try_acquire() else { return Ok(false) };
        let parts = &self.gateway.parts;
        let end = Instant::now() + parts.settings.approval_hold;
        while Instant::now() < end {
            tokio::select! {
                () = sleep_until(end.min(Instant::now() + LOOK)) => {}
                () = self.gateway.stopping.cancelled() => return Ok(false),
            }
            let looking = async {
                let mut tx = parts.storage.tenant(view.tenant).await?;
                tx.approval_standing(call, parts.clock.now()).await
            };
            match looking.await.map_err(|error| unavailable(&error))? {
                Standing::Pending(..) => {}
                Standing::Refused(..) | Standing::Unknown => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Judges the call once more, as a decision of its own, by the grant as it is now.
    async fn again(
        &self,
        view: &Arc<GrantView>,
        arrival: &mut Arrival,
    ) -> Result<Result<Permit, Response>, Refusal> {
        let at = self.gateway.parts.clock.now();
        arrival.renew(self.gateway.parts.entropy.id(at), at);
        let unknown = Refusal::Unauthenticated { sent: true, reason: "unknown token" };
        let found: Found = self.gateway.directory.get(&view.token_hash).await?.ok_or(unknown)?;
        crate::caller::admit(self.gateway, arrival, &found)?;
        match permit::obtain(self.gateway, arrival, found, self.ask).await? {
            Ruling::Permit(permit) => Ok(Ok(permit)),
            Ruling::Denial(denial) => self.denied(arrival.view.as_ref().unwrap_or(view), &denial).await,
            Ruling::Ours(_) => Err(Refusal::Internal),
        }
    }

    async fn denied(
        &self,
        view: &Arc<GrantView>,
        denial: &Denial,
    ) -> Result<Result<Permit, Response>, Refusal> {
        denial::answer(self.gateway, Some(view), denial, (self.message, self.ask)).await.map(Err)
    }
}
