//! Who changed what in an organisation. Written by every change in its own transaction; here it is read.

use chrono::{DateTime, Utc};
use domain::AdminEventId;
use serde::Serialize;
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
    /// `user` or `key`.
    pub actor_kind: String,
    /// E-mail of the person or label of the key, as it was then.
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

impl Control {
    /// Events before `before` (all when none), at most `limit` of them and at most 200. Needs `admin`.
    pub async fn admin_log(
        &self,
        actor: &Actor,
        before: Option<AdminEventId>,
        limit: usize,
    ) -> Result<AdminLogPage, Error> {
        let _ = (actor, before, limit);
        unimplemented!()
    }
}
