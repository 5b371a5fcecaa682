//! Logins and connections as they are shown.

use chrono::{DateTime, Utc};
use domain::ConnectionId;
use oauth::Revocation;
use serde::{Deserialize, Serialize};
use storage::{ConnectionRow, UpstreamClientRow};
use utoipa::ToSchema;

/// How a server is logged in to, beside its headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// Not at all.
    Headers,
    /// By one connection, for every grant.
    Shared,
    /// By a connection of the grant's identity.
    Identity,
}

impl Login {
    /// The word in the database, the API and the pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::Shared => "shared",
            Self::Identity => "identity",
        }
    }

    /// The login that a word stands for.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Headers, Self::Shared, Self::Identity].into_iter().find(|login| login.as_str() == word)
    }
}

/// How a server is logged in to, with what that takes.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ServerLogin {
    /// How.
    pub login: Login,
    /// Where people come back to from the authorization server: what to register there by hand.
    pub redirect_uri: String,
    /// What this installation is to the authorization servers.
    pub clients: Vec<UpstreamClient>,
    /// Those that were made, by identity.
    pub connections: Vec<Connection>,
}

/// This installation as a client of an authorization server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct UpstreamClient {
    /// Who issued it.
    pub issuer: String,
    /// Its id there.
    pub client_id: String,
    /// Whether it has a secret or a private key. That is sealed and never shown.
    pub has_secret: bool,
    /// How it authenticates: `none`, `client_secret_basic`, `client_secret_post` or `private_key_jwt`.
    pub client_auth: String,
    /// Of a client that signs: its public key as a JSON Web Key, to be stored at the authorization server. Its `kid` is in every
    /// assertion.
    #[schema(value_type = Option<Object>)]
    pub public_key: Option<serde_json::Value>,
    /// Registered by hand, and not by itself.
    pub by_hand: bool,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// Whether a connection can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// It can, as far as is known.
    Connected,
    /// Somebody has to connect again.
    NeedsReconnecting,
}

/// A connection to a server. Its tokens are sealed and never shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Connection {
    /// The connection.
    #[schema(value_type = String, format = Uuid)]
    pub id: ConnectionId,
    /// Whose it is; none: the whole organisation's.
    pub identity: Option<String>,
    /// Whether it can be used.
    pub state: ConnectionState,
    /// Why not, in a sentence; or what keeps it going.
    pub message: String,
    /// Who issued its tokens.
    pub issuer: String,
    /// What they are good for.
    pub scopes: Vec<String>,
    /// What the server asked for beyond them; connecting again asks for these too.
    pub wanted_scopes: Vec<String>,
    /// Who made it.
    pub connected_by: String,
    /// When.
    pub connected_at: DateTime<Utc>,
    /// When its access token was had.
    pub renewed_at: DateTime<Utc>,
    /// When that ends, if it is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether another is had by itself.
    pub renewable: bool,
}

/// What became of the access at the authorization server when a connection was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedAccess {
    /// It was ended there too.
    Revoked,
    /// The authorization server has no way to end it.
    NotOffered,
    /// The authorization server did not answer, or refused.
    Failed,
}

/// A connection that was ended. Its tokens are forgotten, whatever became of the access at the authorization server.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Disconnected {
    /// What became of it there.
    pub access: EndedAccess,
    /// The sentence for it.
    pub message: String,
}

impl EndedAccess {
    /// The word in the API and in addresses of pages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::NotOffered => "not_offered",
            Self::Failed => "failed",
        }
    }

    /// What a word stands for.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Revoked, Self::NotOffered, Self::Failed].into_iter().find(|access| access.as_str() == word)
    }

    /// The sentence for a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Revoked => {
                "Disconnected. The tokens were forgotten here and revoked at the authorization server."
            }
            Self::NotOffered => {
                "Disconnected: the tokens were forgotten here. The authorization server offers no revocation, so end the access there by hand if it must not live on."
            }
            Self::Failed => {
                "Disconnected: the tokens were forgotten here. The authorization server did not say that it revoked them, so look there and end the access by hand."
            }
        }
    }
}

impl From<Revocation> for Disconnected {
    fn from(revocation: Revocation) -> Self {
        let access = match revocation {
            Revocation::Revoked => EndedAccess::Revoked,
            Revocation::NotOffered => EndedAccess::NotOffered,
            Revocation::Failed => EndedAccess::Failed,
        };
        Self { access, message: access.words().to_owned() }
    }
}

impl From<UpstreamClientRow> for UpstreamClient {
    fn from(row: UpstreamClientRow) -> Self {
        Self {
            has_secret: row.sealed_secret.is_some(),
            issuer: row.issuer,
            client_id: row.client_id,
            client_auth: row.auth,
            public_key: row.public_key,
            by_hand: row.by_hand,
            created_at: row.created_at,
        }
    }
}

impl Connection {
    pub(super) fn of(row: ConnectionRow, now: DateTime<Utc>) -> Self {
        let words =
            |scopes: &str| scopes.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
        let (state, message) = standing(&row, now);
        Self {
            id: row.id,
            identity: (!row.identity.is_empty()).then_some(row.identity),
            state,
            message,
            issuer: row.issuer,
            scopes: words(&row.scopes),
            wanted_scopes: words(&row.wanted_scopes),
            connected_by: row.connected_by,
            connected_at: row.connected_at,
            renewed_at: row.obtained_at,
            expires_at: row.expires_at,
            renewable: row.renewable,
        }
    }
}

/// Whether a connection can be used, and the sentence for it.
fn standing(row: &ConnectionRow, now: DateTime<Utc>) -> (ConnectionState, String) {
    let ended = row.expires_at.is_some_and(|at| at <= now) && !row.renewable;
    if let Some(trouble) = &row.trouble {
        return (ConnectionState::NeedsReconnecting, format!("Needs reconnecting because {trouble}."));
    }
    if ended {
        let message = "Needs reconnecting because its access ended, and the authorization server gave nothing to renew it with.";
        return (ConnectionState::NeedsReconnecting, message.to_owned());
    }
    let message = match (row.renewable, row.expires_at) {
        (true, _) => "Renews itself.",
        (false, Some(_)) => "Can't be renewed: connect again before it ends.",
        (false, None) => "Has no known end.",
    };
    (ConnectionState::Connected, message.to_owned())
}
