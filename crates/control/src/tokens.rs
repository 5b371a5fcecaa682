//! Who a bearer token stands for: an API key, or a short-lived access token made from a key or a log-in.

use chrono::{DateTime, Utc};
use domain::Secret;

use crate::{Actor, Control, Error};

/// A signed token (JWT, EdDSA) that stands for its maker for a quarter of an hour.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub token: Secret<String>,
    /// 15 minutes after it was made.
    pub expires_at: DateTime<Utc>,
}

impl Control {
    /// The actor behind `Authorization: Bearer <token>`: a key or an access token. Role and revocation are looked up
    /// anew, so a token says less the moment its maker may less.
    pub async fn authenticate(&self, bearer: &str) -> Result<Actor, Error> {
        let _ = bearer;
        unimplemented!()
    }

    /// An access token that stands for the actor.
    pub async fn issue_access_token(&self, actor: &Actor) -> Result<AccessToken, Error> {
        let _ = actor;
        unimplemented!()
    }

    /// The public keys that access tokens can be checked with (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        unimplemented!()
    }
}
