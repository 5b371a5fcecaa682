//! The tokens of a connection: the access token as it is sent, and all of them as they are sealed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::Secret;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::client::{Client, ClientAuth};
use crate::scope::Scopes;

/// An access token is renewed so long before its end, or at the last fifth of its life if that is later.
const MARGIN: Duration = Duration::from_secs(30);

/// An access token as it is sent.
#[derive(Clone, Debug)]
pub struct Token {
    /// `Bearer ...`, marked sensitive.
    pub header: HeaderValue,
    /// Raised with every renewal.
    pub version: i64,
    /// When it was had.
    pub obtained_at: DateTime<Utc>,
    /// When it ends, if that is known.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether another can be had.
    pub renewable: bool,
}

impl Token {
    /// Whether it is over.
    pub fn ended(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it is time for another.
    pub fn ends_soon(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|at| {
            let life = (at - self.obtained_at).to_std().unwrap_or_default();
            at - now <= chrono::Duration::from_std(MARGIN.min(life / 5)).unwrap_or_default()
        })
    }
}

/// What is sealed of a connection.
pub(crate) struct Kept {
    pub access: Secret<String>,
    pub refresh: Option<Secret<String>>,
    pub client: Client,
    pub token_endpoint: String,
    pub revocation_endpoint: Option<String>,
    pub resource: String,
    /// The token is the client's own, and another is had by asking for these scopes again.
    pub own: Option<Scopes>,
}

#[derive(Deserialize)]
struct Stored {
    access: String,
    refresh: Option<String>,
    client_id: String,
    client_secret: Option<String>,
    client_auth: String,
    #[serde(default)]
    client_key: Option<String>,
    token_endpoint: String,
    #[serde(default)]
    revocation_endpoint: Option<String>,
    resource: String,
    #[serde(default)]
    own: Option<String>,
}

impl Kept {
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let text = json!({
            "access": self.access.expose(),
            "refresh": self.refresh.as_ref().map(Secret::expose),
            "client_id": self.client.id,
            "client_secret": self.client.secret.as_ref().map(Secret::expose),
            "client_auth": self.client.auth.as_str(),
            "client_key": self.client.key_id,
            "token_endpoint": self.token_endpoint,
            "revocation_endpoint": self.revocation_endpoint,
            "resource": self.resource,
            "own": self.own.as_ref().map(Scopes::to_string),
        });
        Zeroizing::new(text.to_string().into_bytes())
    }

    pub fn read(bytes: &[u8]) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(bytes).ok()?;
        Some(Self {
            access: Secret::new(stored.access),
            refresh: stored.refresh.map(Secret::new),
            client: Client {
                id: stored.client_id,
                secret: stored.client_secret.map(Secret::new),
                auth: ClientAuth::read(&stored.client_auth)?,
                key_id: stored.client_key,
            },
            token_endpoint: stored.token_endpoint,
            revocation_endpoint: stored.revocation_endpoint,
            resource: stored.resource,
            own: stored.own.map(|scopes| Scopes::read(&scopes)),
        })
    }

    pub fn header(&self) -> Option<HeaderValue> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", self.access.expose())).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn a_token_is_renewed_shortly_before_its_end() {
        let token = |life: Option<i64>| Token {
            header: HeaderValue::from_static("Bearer x"),
            version: 1,
            obtained_at: at(1000),
            expires_at: life.map(|life| at(1000 + life)),
            renewable: true,
        };
        let hour = token(Some(3600));
        assert!(!hour.ends_soon(at(4569)) && hour.ends_soon(at(4570)) && !hour.ended(at(4599)));
        assert!(hour.ended(at(4600)));
        let minute = token(Some(60));
        assert!(!minute.ends_soon(at(1047)) && minute.ends_soon(at(1048)));
        assert!(!token(None).ends_soon(at(9_999_999)));
    }
}
