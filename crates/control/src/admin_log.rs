//! Who changed what in an organisation. Written by every change in its own transaction; here it is read.

use chrono::{DateTime, Utc};
use domain::{AdminEventId, Role};
use serde::Serialize;
use storage::AdminEventRow;
use utoipa::ToSchema;

use crate::{Actor, Control, Error};

/// One change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminEvent {
    /// Its id; ids rise with time.
    #[schema(value_type = String, format = Uuid)]
    pub id: AdminEventId,
    /// When.
    pub at: DateTime<Utc>,
    /// `user`, `key`, `link` (somebody who was sent one) or `gateway` (nobody: it happened by itself).
    pub actor_kind: String,
    /// E-mail of the person, label of the key, or whose link it was, as it was then.
    pub actor: String,
    /// `grant.revoke`, `policy.save`, ...
    #[schema(example = "grant.revoke")]
    pub action: String,
    /// Id of what was changed.
    #[schema(value_type = String, format = Uuid)]
    pub subject_id: uuid::Uuid,
    /// Its name, as it was then.
    pub subject: String,
    /// What else there is to say; never a secret.
    pub details: serde_json::Value,
}

/// Some events, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AdminLogPage {
    /// Newest first.
    pub events: Vec<AdminEvent>,
    /// Where the next page begins; none on the last.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub next: Option<AdminEventId>,
}

/// Events on a page at most.
const MOST: usize = 200;

impl Control {
    /// Events before `before` (from the newest when none), at most `limit` of them and at most 200. Needs `admin`.
    pub async fn admin_log(
        &self,
        actor: &Actor,
        before: Option<AdminEventId>,
        limit: usize,
    ) -> Result<AdminLogPage, Error> {
        actor.needs(Role::Admin)?;
        let limit = limit.clamp(1, MOST);
        // One more than is shown tells whether there is a next page.
        let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut rows = self.tenant(actor).await?.events(before, ask).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id);
        Ok(AdminLogPage { events: rows.into_iter().map(AdminEvent::of).collect(), next })
    }
}

impl AdminEvent {
    fn of(row: AdminEventRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor_kind: row.actor_kind,
            actor: row.actor_label,
            action: row.action,
            subject_id: row.subject_id,
            subject: row.subject_label,
            details: row.details,
        }
    }
}
