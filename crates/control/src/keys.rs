//! Keys to the management API.

use chrono::{DateTime, Utc};
use domain::{ApiKeyId, Label, Role, Secret};
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::{KeyRow, NewKeyRow};
use utoipa::ToSchema;
use vault::{Token, TokenKind};

use crate::change::Event;
use crate::input::{self, Problems};
use crate::{Actor, Conflict, Control, Error};

/// A key, without its token.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ApiKey {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: ApiKeyId,
    /// What it is for.
    pub label: String,
    /// What it may do.
    #[schema(value_type = String, example = "viewer")]
    pub role: Role,
    /// The token's ends, to tell keys apart: `tg_key_…a1b2`.
    pub hint: String,
    /// Whether it works.
    pub state: Standing,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// It does not work from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// It has not worked since.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Whether a key or grant works at the time it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It works.
    Active,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
}

impl Standing {
    /// The word in the API and the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// What a key or grant with these times is at `now`.
    pub(crate) fn at(
        now: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
        revoked_at: Option<DateTime<Utc>>,
    ) -> Self {
        if revoked_at.is_some() {
            Self::Revoked
        } else if expires_at.is_some_and(|end| end <= now) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

/// A key to make, as typed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// 1 to 80 characters.
    #[schema(example = "log export")]
    pub label: String,
    /// `viewer`, `editor`, `admin` or `owner`; not above the maker's own.
    #[schema(example = "viewer")]
    pub role: String,
    /// A day (`2027-01-31`, its end in UTC) or a time (RFC 3339). None: it works until it is revoked.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// A key that was just made. The token is shown this once.
#[derive(Clone, Debug)]
pub struct MintedKey {
    /// The key.
    pub key: ApiKey,
    /// `tg_key_...`.
    pub token: Secret<String>,
}

/// Keys that work at once.
const MOST: i64 = 200;

impl Control {
    /// Makes a key. Needs `admin`.
    pub async fn create_key(&self, actor: &Actor, input: &NewKey) -> Result<MintedKey, Error> {
        actor.needs(Role::Admin)?;
        let mut problems = Problems::new();
        let label = problems.take("/label", input.label.parse::<Label>());
        let role = problems.take("/role", input.role.parse::<Role>());
        let expires_at = problems.take("/expires_at", input::expiry(input.expires_at.as_deref(), self.now()));
        if role.is_some_and(|role| role > actor.role) {
            problems.note("/role", format!("is above your own: choose {} or lower", actor.role));
        }
        let (Some(label), Some(role), Some(expires_at)) = (label, role, expires_at) else {
            return Err(problems.into());
        };
        problems.check()?;

        let token = Token::generate(TokenKind::Key, &self.parts().entropy);
        let id = self.id();
        let mut tx = self.tenant(actor).await?;
        let now = self.now();
        let active = tx.keys(None).await?.iter().filter(|row| standing(row, now) == Standing::Active).count();
        if i64::try_from(active).is_ok_and(|active| active >= MOST) {
            return Err(Conflict::Full { what: "API keys", max: MOST }.into());
        }
        tx.insert_key(&NewKeyRow {
            id,
            label: &label,
            role,
            token_hash: token.hash(),
            hint: &token.hint(),
            created_by: &actor.label(),
            created_at: now,
            expires_at,
        })
        .await?;
        let event = Event::new("key.create", id.uuid(), label.as_str());
        self.commit(tx, actor, event.with(json!({ "role": role, "expires_at": expires_at }))).await?;
        let key = self.key(actor, id).await?;
        Ok(MintedKey { key, token: Secret::new(token.expose().to_owned()) })
    }

    /// All keys, newest first. Needs `admin`.
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<ApiKey>, Error> {
        actor.needs(Role::Admin)?;
        let rows = self.tenant(actor).await?.keys(None).await?;
        Ok(rows.into_iter().map(|row| ApiKey::of(row, self.now())).collect())
    }

    /// One key. Needs `admin`.
    pub async fn key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey, Error> {
        actor.needs(Role::Admin)?;
        let row = self.tenant(actor).await?.keys(Some(id)).await?.pop().ok_or(Error::NotFound)?;
        Ok(ApiKey::of(row, self.now()))
    }

    /// Takes a key back; the next request with it is refused. Revoking a revoked one changes nothing. Needs `admin`.
    pub async fn revoke_key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey, Error> {
        let key = self.key(actor, id).await?;
        let mut tx = self.tenant(actor).await?;
        if tx.revoke_key(id, self.now()).await? {
            self.commit(tx, actor, Event::new("key.revoke", id.uuid(), key.label)).await?;
        }
        self.key(actor, id).await
    }
}

impl ApiKey {
    fn of(row: KeyRow, now: DateTime<Utc>) -> Self {
        Self {
            state: standing(&row, now),
            id: row.id,
            label: row.label,
            role: row.role,
            hint: row.hint,
            created_by: row.created_by,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
        }
    }
}

/// Whether a stored key works.
pub(crate) fn standing(row: &KeyRow, now: DateTime<Utc>) -> Standing {
    Standing::at(now, row.expires_at, row.revoked_at)
}
