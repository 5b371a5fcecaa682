//! Questions to a person about one call: reading them, and writing down what was decided. What a gateway does with them, before
//! a call may go on, is in [`taking`].

mod taking;

use chrono::{DateTime, Utc};
use domain::{ApprovalId, ApprovalState, DecisionId, GrantId, PolicyId, ServerId};

use crate::{Error, SystemTx, TenantTx};

pub use taking::{ApprovedCall, NewApprovalRow, Standing, TakenApproval};

/// A question about a call, and where it stands.
#[derive(Clone, Debug)]
pub struct ApprovalRow {
    /// The question.
    pub id: ApprovalId,
    /// Where the call would go.
    pub server: ServerId,
    /// That server's name.
    pub server_name: String,
    /// Who called.
    pub grant: GrantId,
    /// That grant's label.
    pub grant_label: String,
    /// Whom it acts for.
    pub identity: String,
    /// Whether the grant can be used no more.
    pub grant_revoked: bool,
    /// The tool.
    pub tool: String,
    /// Keyed hash of the canonical arguments, in hexadecimal; empty: it has none.
    pub argument_digest: String,
    /// Keys of the arguments.
    pub argument_keys: Vec<String>,
    /// The arguments, sealed; none once the question is closed.
    pub sealed_arguments: Option<Vec<u8>>,
    /// JSON Pointer of the rule that asks.
    pub rule: String,
    /// Its message.
    pub message: String,
    /// The policy it is in: id, name and version.
    pub policy: Option<(PolicyId, String, u32)>,
    /// The client by its own words.
    pub client: (Option<String>, Option<String>),
    /// When the call came that asked first, and its decision in the log.
    pub asked: (DateTime<Utc>, DecisionId),
    /// Until when it waits for a person.
    pub expires_at: DateTime<Utc>,
    /// How long what is allowed can be used, in seconds.
    pub lives_seconds: u32,
    /// Where it stands at the time it was read for.
    pub state: ApprovalState,
    /// Who decided, and when.
    pub decided: Option<(String, DateTime<Utc>)>,
    /// What they said to the agent.
    pub note: Option<String>,
    /// Until when the call that was allowed can be made.
    pub usable_until: Option<DateTime<Utc>>,
    /// When the call was made, and its decision in the log.
    pub used: Option<(DateTime<Utc>, DecisionId)>,
}

/// Which questions to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApprovalFilter {
    /// Those in this state.
    pub state: Option<ApprovalState>,
    /// Those about calls of this server.
    pub server: Option<ServerId>,
    /// The one of this id.
    pub only: Option<ApprovalId>,
    /// Those whose call, the one that asked or the one that was made, is this.
    pub decision: Option<DecisionId>,
    /// Those that are older than this one, which was listed last.
    pub before: Option<ApprovalId>,
}

impl TenantTx {
    /// Questions about calls, newest first, at most `most`, as they stand at `now`.
    pub async fn approvals(
        &mut self,
        filter: ApprovalFilter,
        now: DateTime<Utc>,
        most: i64,
    ) -> Result<Vec<ApprovalRow>, Error> {
        let tenant = self.tenant().uuid();
        let rows = sqlx::query!(
            r#"SELECT a.id, a.server_id, s.name AS server_name, a.grant_id, g.label AS grant_label,
                 g.identity AS grant_identity,
                 (g.revoked_at IS NOT NULL OR coalesce(g.expires_at <= $2, false)) AS "grant_revoked!",
                 a.tool, a.argument_digest, a.argument_keys, a.sealed_arguments, a.rule, a.message, a.policy_id,
                 a.policy_name, a.policy_version, a.client_name, a.client_version, a.asked_at, a.asked_decision,
                 a.expires_at, a.lives_seconds, now.state AS "state!", a.decided_at, a.decided_by, a.note, a.usable_until,
                 a.used_at, a.used_decision
               FROM approvals a
               CROSS JOIN LATERAL (SELECT CASE
                   WHEN a.state = 'pending' AND a.expires_at <= $2 THEN 'expired'
                   WHEN a.state = 'approved' AND a.uses > 0 THEN 'used'
                   WHEN a.state = 'approved' AND a.usable_until <= $2 THEN 'expired'
                   ELSE a.state END AS state) now
               JOIN servers s ON s.tenant_id = a.tenant_id AND s.id = a.server_id
               JOIN grants g ON g.tenant_id = a.tenant_id AND g.id = a.grant_id
               WHERE a.tenant_id = $1 AND ($3::text IS NULL OR now.state = $3)
                   AND ($4::uuid IS NULL OR a.server_id = $4) AND ($5::uuid IS NULL OR a.id = $5)
                   AND ($6::uuid IS NULL OR a.asked_decision = $6 OR a.used_decision = $6)
                   AND ($7::uuid IS NULL OR a.id < $7)
               ORDER BY a.id DESC
               LIMIT $8"#,
            tenant,
            now,
            filter.state.map(ApprovalState::as_str),
            filter.server.map(ServerId::uuid),
            filter.only.map(ApprovalId::uuid),
            filter.decision.map(DecisionId::uuid),
            filter.before.map(ApprovalId::uuid),
            most
        )
        .fetch_all(self.connection())
        .await?;
        let read = |text: String| {
            text.parse().map_err(|error: String| Error::Database(sqlx::Error::Decode(error.into())))
        };
        let rows = rows.into_iter().map(|row| {
            Ok(ApprovalRow {
                id: row.id.into(),
                server: row.server_id.into(),
                server_name: row.server_name,
                grant: row.grant_id.into(),
                grant_label: row.grant_label,
                identity: row.grant_identity,
                grant_revoked: row.grant_revoked,
                tool: row.tool,
                argument_digest: row.argument_digest,
                argument_keys: row.argument_keys,
                sealed_arguments: row.sealed_arguments,
                rule: row.rule,
                message: row.message,
                policy: match (row.policy_id, row.policy_name, row.policy_version) {
                    (Some(id), Some(name), Some(version)) => Some((id.into(), name, version.unsigned_abs())),
                    _ => None,
                },
                client: (row.client_name, row.client_version),
                asked: (row.asked_at, row.asked_decision.into()),
                expires_at: row.expires_at,
                lives_seconds: row.lives_seconds.unsigned_abs(),
                state: read(row.state)?,
                decided: row.decided_by.zip(row.decided_at),
                note: row.note,
                usable_until: row.usable_until,
                used: row.used_at.zip(row.used_decision.map(DecisionId::from)),
            })
        });
        rows.collect()
    }

    /// The question about a call that stood at `at`, by its rule.
    pub async fn approval_about(
        &mut self,
        call: ApprovedCall<'_>,
        rule: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<ApprovalId>, Error> {
        let tenant = self.tenant().uuid();
        let id = sqlx::query_scalar!(
            "SELECT id FROM approvals
             WHERE tenant_id = $1 AND grant_id = $2 AND tool = $3 AND argument_digest = $4 AND rule = $5
                 AND asked_at <= $6 AND expires_at > $6
             ORDER BY asked_at DESC LIMIT 1",
            tenant,
            call.grant.uuid(),
            call.tool,
            call.argument_digest,
            rule,
            at
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(id.map(ApprovalId::from))
    }

    /// How many questions wait for a person.
    pub async fn count_pending_approvals(&mut self, now: DateTime<Utc>) -> Result<i64, Error> {
        let tenant = self.tenant().uuid();
        let count = sqlx::query_scalar!(
            r#"SELECT count(*) AS "count!" FROM approvals
               WHERE tenant_id = $1 AND state = 'pending' AND expires_at > $2"#,
            tenant,
            now
        )
        .fetch_one(self.connection())
        .await?;
        Ok(count)
    }

    /// Allows the call that a question is about, once, for as long as the rule says; or refuses it. `false` when it waits no
    /// more, or there is none. The arguments are forgotten.
    pub async fn decide_approval(
        &mut self,
        id: ApprovalId,
        (given, note): (bool, Option<&str>),
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<bool, Error> {
        let tenant = self.tenant().uuid();
        let done = sqlx::query!(
            "UPDATE approvals SET state = CASE WHEN $3 THEN 'approved' ELSE 'refused' END, sealed_arguments = NULL,
                 decided_at = $4, decided_by = $5, note = $6,
                 usable_until = CASE WHEN $3 THEN $4 + lives_seconds * interval '1 s' END
             WHERE tenant_id = $1 AND id = $2 AND state = 'pending' AND expires_at > $4",
            tenant,
            id.uuid(),
            given,
            now,
            by,
            note
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}

impl SystemTx {
    /// Closes the questions that nobody answered in time, and forgets their arguments; how many there were.
    pub async fn expire_approvals(&mut self, now: DateTime<Utc>) -> Result<u64, Error> {
        let done = sqlx::query!(
            "UPDATE approvals SET state = 'expired', sealed_arguments = NULL WHERE state = 'pending' AND expires_at <= $1",
            now
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Deletes the questions that were asked before a day that the log has dropped.
    pub async fn forget_approvals(&mut self, before: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query!("DELETE FROM approvals WHERE asked_at < $1", before).execute(self.connection()).await?;
        Ok(())
    }
}
