//! Calls that a person must approve. What they allowed is used up before the call is recorded, by this grant, for this tool
//! and these very arguments, once; and given back where the call does not go on after all.
//!
//! Asking a person is in [`question`], how a client waits in [`waiting`], the handle that it may get in [`handle`].

pub(crate) mod handle;
mod question;
pub(crate) mod waiting;

pub(crate) use question::Question;

use domain::TenantId;
use storage::{ApprovedCall, Standing, TakenApproval};

use crate::arrival::Arrival;
use crate::directory::GrantView;
use crate::judge::{self, Ask, Judged};
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// What people have allowed of one request, as far as it was asked for. Dropped unspent, it is given back.
pub(crate) struct Consent {
    gateway: GatewayState,
    taken: Option<(TenantId, TakenApproval)>,
}

impl Consent {
    pub fn new(gateway: &GatewayState) -> Self {
        Self { gateway: gateway.clone(), taken: None }
    }

    /// Judges a request, and uses up the approval of a call that needs one and has it.
    pub async fn judge(
        &mut self,
        view: &GrantView,
        arrival: &Arrival,
        ask: &Ask<'_>,
    ) -> Result<Judged, Refusal> {
        match judge::judge(view, ask, self.taken.is_some()) {
            Judged::Pending { refusal, lives } => match Box::pin(self.take(view, arrival, ask)).await? {
                Some(Standing::Refused(note, _)) => {
                    let message = refused(note.as_deref());
                    Ok(Judged::denied(policy::Refusal { message: message.into(), ..refusal }))
                }
                Some(_) => Ok(Judged::Pending { refusal, lives }),
                None => Ok(judge::judge(view, ask, true)),
            },
            judged => Ok(judged),
        }
    }

    /// The request goes on: what was taken for it stays taken.
    pub fn spend(mut self) -> Option<TakenApproval> {
        self.taken.take().map(|(_, taken)| taken)
    }

    /// Takes what was allowed of the call; or what stands in its way.
    async fn take(
        &mut self,
        view: &GrantView,
        arrival: &Arrival,
        ask: &Ask<'_>,
    ) -> Result<Option<Standing>, Refusal> {
        let Some(call) = call_of(view, arrival, ask) else { return Ok(Some(Standing::Unknown)) };
        let now = self.gateway.parts.clock.now();
        let taking = async {
            let mut tx = self.gateway.parts.storage.tenant(view.tenant).await?;
            let mut taken = None;
            if let Some(before) = ask.approved {
                taken = tx.take_round(call, before).await?;
            }
            if taken.is_none() {
                taken = tx.take_approval(call, arrival.id, now).await?;
            }
            let standing = match taken {
                Some(_) => None,
                None => Some(tx.approval_standing(call, now).await?),
            };
            tx.commit().await?;
            Ok((taken, standing))
        };
        let (taken, standing) = taking.await.map_err(|error| unavailable(&error))?;
        self.taken = taken.map(|taken| (view.tenant, taken));
        Ok(standing)
    }
}

impl Drop for Consent {
    fn drop(&mut self) {
        let Some((tenant, taken)) = self.taken.take() else { return };
        let storage = self.gateway.parts.storage.clone();
        self.gateway.background.spawn(async move {
            let giving = async {
                let mut tx = storage.tenant(tenant).await?;
                tx.give_approval_back(taken).await?;
                tx.commit().await
            };
            if let Err(error) = giving.await {
                tracing::warn!(approval = %taken.id, %error, "an approval is used up by a call that did not go on");
            }
        });
    }
}

/// The call that an approval would be bound to.
fn call_of<'a>(view: &GrantView, arrival: &'a Arrival, ask: &Ask<'a>) -> Option<ApprovedCall<'a>> {
    let argument_digest = arrival.arguments.as_ref().map_or("", |noted| noted.digest.as_str());
    Some(ApprovedCall { grant: view.grant, tool: ask.call()?.name, argument_digest })
}

/// What the agent is told of a call that a person refused.
fn refused(note: Option<&str>) -> String {
    match note {
        Some(note) => format!("a person refused this call: {note}"),
        None => "a person refused this call".to_owned(),
    }
}

fn unavailable(error: &storage::Error) -> Refusal {
    tracing::warn!(%error, "what a person said of a call can't be looked up");
    Refusal::Unavailable
}
