//! Questions to people about calls that a rule of `approve_if` stopped: which there are, what is asked, and what a person says.
//!
//! Every role sees that there is a question; the values of a call's arguments are opened for those who may decide, one question at
//! a time. A gateway reads what was decided at the call that uses it, so no epoch is raised here.

mod arguments;
mod schema;
mod view;

use chrono::{DateTime, Utc};
use domain::{ApprovalId, ApprovalState, Outcome, Remark, Role, Slug};
use serde_json::json;
use storage::{ApprovalRow, ApprovedCall, TenantTx};
use vault::Place;

use crate::change::Event;
use crate::{Actor, Conflict, Control, Error, Session};

pub use arguments::ShownArguments;
pub use view::{Approval, ApprovalDetail, ApprovalFilter, ApprovalPage, ApprovalPolicy, ApprovalRemark};

/// Questions on a page at most.
const MOST: usize = 200;

impl Control {
    /// Questions about calls that the filter lets through, newest first, at most `limit` of them and at most 200.
    pub async fn approvals(
        &self,
        actor: &Actor,
        filter: ApprovalFilter,
        limit: usize,
    ) -> Result<ApprovalPage, Error> {
        let limit = limit.clamp(1, MOST);
        // One more than is shown tells whether there is a next page.
        let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut rows = self.tenant(actor).await?.approvals(filter.stored(), self.now(), ask).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id);
        Ok(ApprovalPage { approvals: rows.into_iter().map(Approval::of).collect(), next })
    }

    /// How many calls wait for a person.
    pub async fn pending_approvals(&self, actor: &Actor) -> Result<u64, Error> {
        let count = self.tenant(actor).await?.count_pending_approvals(self.now()).await?;
        Ok(count.unsigned_abs())
    }

    /// One question; with the arguments of the call where it waits and the actor may decide, which needs `editor`.
    pub async fn approval(&self, actor: &Actor, id: ApprovalId) -> Result<ApprovalDetail, Error> {
        let mut tx = self.tenant(actor).await?;
        let row = one(&mut tx, id, self.now()).await?;
        let arguments = match &row.sealed_arguments {
            Some(sealed) if row.state == ApprovalState::Pending && actor.may(Role::Editor) => {
                let tool =
                    tx.tools(row.server).await?.into_iter().find(|tool| tool.definition.name == row.tool);
                let place = Place::ApprovalArguments { tenant: actor.tenant, approval: id };
                let opened = self.parts().keyring.open(sealed, place)?;
                let schema = tool.map(|tool| tool.definition.input_schema);
                ShownArguments::of(opened.expose(), schema.as_ref())?
            }
            _ => None,
        };
        Ok(ApprovalDetail { approval: Approval::of(row), arguments })
    }

    /// The question that a decision asked, repeated, or was let through by; none where there is no such.
    pub async fn approval_of_decision(
        &self,
        actor: &Actor,
        decision: &audit::Row,
    ) -> Result<Option<Approval>, Error> {
        let mut tx = self.tenant(actor).await?;
        let filter =
            storage::ApprovalFilter { decision: Some(decision.id), ..storage::ApprovalFilter::default() };
        if let Some(row) = tx.approvals(filter, self.now(), 1).await?.pop() {
            return Ok(Some(Approval::of(row)));
        }
        // The same call again, while it waits or because it was refused.
        let repeats = matches!(decision.outcome, Outcome::Pending | Outcome::Deny);
        let (Some(grant), Some(tool), Some(rule), true) =
            (&decision.grant, &decision.tool, &decision.rule, repeats)
        else {
            return Ok(None);
        };
        let argument_digest = decision.argument_digest.as_deref().unwrap_or_default();
        let call = ApprovedCall { grant: grant.id, tool, argument_digest };
        match tx.approval_about(call, rule, decision.decided_at).await? {
            Some(id) => Ok(Some(Approval::of(one(&mut tx, id, self.now()).await?))),
            None => Ok(None),
        }
    }

    /// The organisation that has this question, of those that the person belongs to.
    pub async fn organisation_of_approval(&self, session: &Session, id: ApprovalId) -> Result<Slug, Error> {
        for membership in &session.organisations {
            let mut tx = self.parts().storage.tenant(membership.tenant).await?;
            match one(&mut tx, id, self.now()).await {
                Ok(_) => return Ok(membership.slug.clone()),
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::NotFound)
    }

    /// Allows the call that is asked about, once, for as long as its rule says. Needs `editor`.
    pub async fn approve_call(
        &self,
        actor: &Actor,
        id: ApprovalId,
        input: &ApprovalRemark,
    ) -> Result<Approval, Error> {
        self.decide(actor, id, true, input).await
    }

    /// Refuses the call that is asked about; the agent is told the note. Needs `editor`.
    pub async fn refuse_call(
        &self,
        actor: &Actor,
        id: ApprovalId,
        input: &ApprovalRemark,
    ) -> Result<Approval, Error> {
        self.decide(actor, id, false, input).await
    }

    async fn decide(
        &self,
        actor: &Actor,
        id: ApprovalId,
        allow: bool,
        input: &ApprovalRemark,
    ) -> Result<Approval, Error> {
        actor.needs(Role::Editor)?;
        let note = input.read().map_err(|error| Error::field("/note", error))?;
        let now = self.now();
        let mut tx = self.tenant(actor).await?;
        let row = one(&mut tx, id, now).await?;
        decidable(&row, allow)?;
        let note = note.as_ref().map(Remark::as_str);
        if !tx.decide_approval(id, (allow, note), &actor.label(), now).await? {
            // Somebody was faster, or its time ran out in between.
            return Err(Conflict::Approval(view::fate(&one(&mut tx, id, now).await?)).into());
        }
        let action = if allow { "approval.approve" } else { "approval.refuse" };
        let details = json!({ "server": row.server_name, "grant": row.grant_label });
        self.commit(tx, actor, Event::new(action, id.uuid(), row.tool).with(details)).await?;
        let mut tx = self.tenant(actor).await?;
        Ok(Approval::of(one(&mut tx, id, now).await?))
    }
}

async fn one(tx: &mut TenantTx, id: ApprovalId, now: DateTime<Utc>) -> Result<ApprovalRow, Error> {
    let filter = storage::ApprovalFilter { only: Some(id), ..storage::ApprovalFilter::default() };
    tx.approvals(filter, now, 1).await?.pop().ok_or(Error::NotFound)
}

/// Whether there is anything left to decide.
fn decidable(row: &ApprovalRow, allow: bool) -> Result<(), Conflict> {
    if row.state != ApprovalState::Pending {
        return Err(Conflict::Approval(view::fate(row)));
    }
    if allow && row.grant_revoked {
        let grant = &row.grant_label;
        return Err(Conflict::Approval(format!(
            "the grant `{grant}` is revoked or has expired, so nobody can make this call: refuse it"
        )));
    }
    Ok(())
}
