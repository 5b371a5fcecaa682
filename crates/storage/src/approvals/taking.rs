//! What a gateway does with approvals: asks a person about a call, and uses up what they allowed, before the call is recorded.
//!
//! INVARIANT: an approval lets one call through. Its `uses` is raised by one statement from the number that was expected, so
//! of two calls that want it at once one gets it; a further round of that call raises it from the number its state brings.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{ApprovalId, DecisionId, GrantId, PolicyId, ServerId};

use crate::{Error, TenantTx};

/// The call that an approval is bound to.
#[derive(Clone, Copy, Debug)]
pub struct ApprovedCall<'a> {
    /// Who calls. A grant is of one server.
    pub grant: GrantId,
    /// The tool, exact bytes.
    pub tool: &'a str,
    /// Keyed hash of the canonical arguments, in hexadecimal; empty: there are none.
    pub argument_digest: &'a str,
}

/// An approval that was used, and for which round of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenApproval {
    /// The approval.
    pub id: ApprovalId,
    /// 1 for the call itself, one more for each further round.
    pub round: i32,
}

/// What people have said of a call so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They were not asked, or what they said is no longer good.
    Unknown,
    /// They are asked, and have until then.
    Pending(ApprovalId, DateTime<Utc>),
    /// They refused it, with these words; the same call is not asked about again until then.
    Refused(Option<String>, DateTime<Utc>),
}

/// A question to store.
#[derive(Clone, Debug)]
pub struct NewApprovalRow<'a> {
    /// The question.
    pub id: ApprovalId,
    /// What it is about.
    pub call: ApprovedCall<'a>,
    /// Where the call would go.
    pub server: ServerId,
    /// Keys of the arguments.
    pub argument_keys: &'a [String],
    /// The arguments, sealed.
    pub sealed_arguments: &'a [u8],
    /// JSON Pointer of the rule that asks.
    pub rule: &'a str,
    /// Its message.
    pub message: &'a str,
    /// The policy it is in: id, name and version.
    pub policy: Option<(PolicyId, &'a str, u32)>,
    /// The client by its own words.
    pub client: (Option<&'a str>, Option<&'a str>),
    /// Now.
    pub asked_at: DateTime<Utc>,
    /// The decision that told the call to wait.
    pub asked_decision: DecisionId,
    /// How long it waits for a person, and how long what they allow can be used, in seconds.
    pub lives_seconds: u32,
}

impl TenantTx {
    /// Uses up what was allowed of a call, for the decision that lets it through.
    pub async fn take_approval(
        &mut self,
        call: ApprovedCall<'_>,
        decision: DecisionId,
        now: DateTime<Utc>,
    ) -> Result<Option<TakenApproval>, Error> {
        let tenant = self.tenant().uuid();
        let id = sqlx::query_scalar!(
            "UPDATE approvals SET uses = 1, used_at = $5, used_decision = $6
             WHERE tenant_id = $1 AND uses = 0 AND id = (
                 SELECT id FROM approvals
                 WHERE tenant_id = $1 AND grant_id = $2 AND tool = $3 AND argument_digest = $4
                     AND state = 'approved' AND uses = 0 AND usable_until > $5
                 ORDER BY usable_until LIMIT 1 FOR UPDATE SKIP LOCKED)
             RETURNING id",
            tenant,
            call.grant.uuid(),
            call.tool,
            call.argument_digest,
            now,
            decision.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(id.map(|id| TakenApproval { id: id.into(), round: 1 }))
    }

    /// Uses an approval for the round after `before` of the call that it let through.
    pub async fn take_round(
        &mut self,
        call: ApprovedCall<'_>,
        before: TakenApproval,
    ) -> Result<Option<TakenApproval>, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE approvals SET uses = uses + 1
             WHERE tenant_id = $1 AND id = $2 AND grant_id = $3 AND tool = $4 AND argument_digest = $5
                 AND state = 'approved' AND uses = $6",
            tenant,
            before.id.uuid(),
            call.grant.uuid(),
            call.tool,
            call.argument_digest,
            before.round
        )
        .execute(self.connection())
        .await?;
        Ok((done.rows_affected() == 1).then(|| TakenApproval { id: before.id, round: before.round + 1 }))
    }

    /// Undoes the taking of a call that was not let through after all.
    pub async fn give_approval_back(&mut self, taken: TakenApproval) -> Result<(), Error> {
        let tenant = self.tenant().uuid();
        sqlx::query!(
            "UPDATE approvals SET uses = uses - 1, used_at = CASE WHEN uses > 1 THEN used_at END,
                 used_decision = CASE WHEN uses > 1 THEN used_decision END
             WHERE tenant_id = $1 AND id = $2 AND uses = $3",
            tenant,
            taken.id.uuid(),
            taken.round
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What people have said of a call.
    pub async fn approval_standing(
        &mut self,
        call: ApprovedCall<'_>,
        now: DateTime<Utc>,
    ) -> Result<Standing, Error> {
        let tenant = self.tenant().uuid();
        let row = sqlx::query!(
            "SELECT id, state, note, expires_at FROM approvals
             WHERE tenant_id = $1 AND grant_id = $2 AND tool = $3 AND argument_digest = $4
                 AND state IN ('pending', 'refused') AND expires_at > $5
             ORDER BY asked_at DESC, id DESC LIMIT 1",
            tenant,
            call.grant.uuid(),
            call.tool,
            call.argument_digest,
            now
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(match row {
            None => Standing::Unknown,
            Some(row) if row.state == "pending" => Standing::Pending(row.id.into(), row.expires_at),
            Some(row) => Standing::Refused(row.note, row.expires_at),
        })
    }

    /// Asks people about a call, unless they are asked already; what stands then, which is nothing when `most` questions of the
    /// grant wait.
    pub async fn ask_approval(&mut self, new: &NewApprovalRow<'_>, most: i64) -> Result<Standing, Error> {
        let tenant = self.tenant().uuid();
        let call = new.call;
        sqlx::query!(
            "UPDATE approvals SET state = 'expired', sealed_arguments = NULL
             WHERE tenant_id = $1 AND grant_id = $2 AND state = 'pending' AND expires_at <= $3",
            tenant,
            call.grant.uuid(),
            new.asked_at
        )
        .execute(self.connection())
        .await?;
        sqlx::query!(
            "INSERT INTO approvals (tenant_id, id, server_id, grant_id, tool, argument_digest, argument_keys,
                 sealed_arguments, rule, message, policy_id, policy_name, policy_version, client_name, client_version,
                 asked_at, asked_decision, expires_at, lives_seconds)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19
             WHERE (SELECT count(*) FROM approvals WHERE tenant_id = $1 AND grant_id = $4 AND state = 'pending') < $20
             ON CONFLICT (tenant_id, grant_id, tool, argument_digest) WHERE state = 'pending' DO NOTHING",
            tenant,
            new.id.uuid(),
            new.server.uuid(),
            call.grant.uuid(),
            call.tool,
            call.argument_digest,
            new.argument_keys,
            new.sealed_arguments,
            new.rule,
            new.message,
            new.policy.map(|(id, ..)| id.uuid()),
            new.policy.map(|(_, name, _)| name),
            new.policy.and_then(|(.., version)| i32::try_from(version).ok()),
            new.client.0,
            new.client.1,
            new.asked_at,
            new.asked_decision.uuid(),
            new.asked_at + TimeDelta::seconds(new.lives_seconds.into()),
            i32::try_from(new.lives_seconds).unwrap_or(i32::MAX),
            most
        )
        .execute(self.connection())
        .await?;
        self.approval_standing(call, new.asked_at).await
    }

    /// Where one question stands, for the grant that asked: what was said, or that it waits.
    pub async fn approval_of_grant(
        &mut self,
        grant: GrantId,
        id: ApprovalId,
        now: DateTime<Utc>,
    ) -> Result<Option<super::ApprovalRow>, Error> {
        let filter = super::ApprovalFilter { only: Some(id), ..super::ApprovalFilter::default() };
        Ok(self.approvals(filter, now, 1).await?.pop().filter(|row| row.grant == grant))
    }

    /// Ends a question that its client no longer wants answered; `false` when it waits no more.
    pub async fn withdraw_question(&mut self, grant: GrantId, id: ApprovalId) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE approvals SET state = 'withdrawn', sealed_arguments = NULL
             WHERE tenant_id = $1 AND id = $2 AND grant_id = $3 AND state = 'pending'",
            tenant,
            id.uuid(),
            grant.uuid()
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
