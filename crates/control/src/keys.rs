//! Keys to the management API.

use chrono::{DateTime, Utc};
use domain::{ApiKeyId, Role, Secret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Actor, Control, Error};

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
    /// The token's ends, to tell keys apart: `tg_key_...a1b2`.
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

impl Control {
    /// Makes a key. Needs `admin`.
    pub async fn create_key(&self, actor: &Actor, input: &NewKey) -> Result<MintedKey, Error> {
        let _ = (actor, input);
        unimplemented!()
    }

    /// All keys, newest first. Needs `admin`.
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<ApiKey>, Error> {
        let _ = actor;
        unimplemented!()
    }

    /// Takes a key back; the next request with it is refused. Needs `admin`.
    pub async fn revoke_key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey, Error> {
        let _ = (actor, id);
        unimplemented!()
    }
}
