//! Short-lived access tokens for the API: JWT (RFC 7519) signed with `EdDSA` (RFC 8037), and the public keys to
//! check them with (RFC 7517). The signing keys come from the keyring, so they rotate with it.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::Ed25519KeyPair;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{ApiKeyId, Role, Secret, SessionId, TenantId, UserId};
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Entropy, Error, Keyring};

/// The longest life of a token.
pub const MAX_LIFETIME: TimeDelta = TimeDelta::minutes(15);
/// How far the clock of the replica that issued a token may be ahead of ours.
const SKEW: TimeDelta = TimeDelta::seconds(30);
/// Ours have under 700 bytes; no longer text is looked at.
const MAX_LENGTH: usize = 2048;

/// What a token says of its holder. The log-in or key behind it must still be looked up: it may be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Who holds it.
    pub holder: Holder,
    /// The organisation it is for.
    pub tenant: TenantId,
    /// The most that it may do.
    pub role: Role,
}

/// The log-in or API key that a token was issued from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// A person, through one log-in.
    User {
        /// The person.
        user: UserId,
        /// The log-in; when it ends, so do its tokens.
        session: SessionId,
    },
    /// An API key; when it is revoked, so are its tokens.
    Key(ApiKeyId),
}

/// A new token, and when it ends.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The compact serialisation.
    pub token: Secret<String>,
    /// No replica takes it from then on.
    pub expires_at: DateTime<Utc>,
}

/// Issues with the newest key of the keyring and checks with any. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    /// Newest first; never empty, as the keyring is not.
    keys: Vec<Key>,
    validation: Validation,
}

struct Key {
    id: String,
    signing: EncodingKey,
    checking: DecodingKey,
    public: Jwk,
}

/// The claims on the wire.
#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: String,
    sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    tenant: TenantId,
    role: Role,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
}

impl Signer {
    /// A signer whose tokens name `issuer` and are meant for `audience`; both are checked on the way in.
    pub fn new(keyring: &Keyring, issuer: &str, audience: &str) -> Result<Self, Error> {
        let keys = keyring
            .derive_all("jwt-ed25519")?
            .iter()
            .map(|seed| Key::from_seed(seed))
            .collect::<Result<Vec<_>, _>>()?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The library would ask the machine for the time; `verify` is given it.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let (issuer, audience) = (issuer.to_owned(), audience.to_owned());
        Ok(Self(Arc::new(Inner { issuer, audience, keys, validation })))
    }

    /// A token for these claims that lives for `lifetime`, or [`MAX_LIFETIME`] if that is shorter.
    pub fn issue(
        &self,
        claims: Claims,
        lifetime: TimeDelta,
        now: DateTime<Utc>,
        entropy: &Entropy,
    ) -> Result<Issued, Error> {
        let key = self.0.keys.first().ok_or(Error::Backend)?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id.clone());
        let issued_at = now.timestamp();
        let expires = issued_at + lifetime.min(MAX_LIFETIME).num_seconds();
        let (sub, sid) = claims.holder.to_wire();
        let wire = Wire {
            iss: self.0.issuer.clone(),
            aud: self.0.audience.clone(),
            sub,
            sid,
            tenant: claims.tenant,
            role: claims.role,
            iat: issued_at,
            nbf: issued_at,
            exp: expires,
            jti: entropy.id(now),
        };
        let token = jsonwebtoken::encode(&header, &wire, &key.signing).map_err(|_| Error::Backend)?;
        let expires_at = DateTime::from_timestamp(expires, 0).ok_or(Error::Backend)?;
        Ok(Issued { token: Secret::new(token), expires_at })
    }

    /// The claims of a token that one of our keys signed, for us, and whose time is now.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Error> {
        if token.len() > MAX_LENGTH {
            return Err(Error::NotAToken);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::NotAToken)?;
        let id = header.kid.ok_or(Error::NotAToken)?;
        let key = self.0.keys.iter().find(|key| key.id == id).ok_or(Error::NotAToken)?;
        let wire = jsonwebtoken::decode::<Wire>(token, &key.checking, &self.0.validation)
            .map_err(|_| Error::NotAToken)?
            .claims;
        if wire.exp.saturating_sub(wire.iat) > MAX_LIFETIME.num_seconds()
            || wire.nbf > (now + SKEW).timestamp()
        {
            return Err(Error::NotAToken);
        }
        if wire.exp <= now.timestamp() {
            return Err(Error::Expired);
        }
        let holder = Holder::from_wire(&wire.sub, wire.sid).ok_or(Error::NotAToken)?;
        Ok(Claims { holder, tenant: wire.tenant, role: wire.role })
    }

    /// The JSON Web Key Set of all public keys, for `/.well-known/jwks.json`.
    pub fn jwks(&self) -> Result<serde_json::Value, Error> {
        let keys = self.0.keys.iter().map(|key| key.public.clone()).collect();
        serde_json::to_value(JwkSet { keys }).map_err(|_| Error::Backend)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.0.keys.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("Signer").field("issuer", &self.0.issuer).field("keys", &ids).finish_non_exhaustive()
    }
}

impl Key {
    fn from_seed(seed: &[u8; 32]) -> Result<Self, Error> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| Error::Backend)?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der()?;
        let signing = EncodingKey::from_ed_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::EdDSA).map_err(|_| Error::Backend)?;
        // The key id is the thumbprint (RFC 7638): the same key has the same id on every replica.
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| Error::Backend)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        let checking = DecodingKey::from_jwk(&public).map_err(|_| Error::Backend)?;
        Ok(Self { id, signing, checking, public })
    }
}

impl Holder {
    fn to_wire(self) -> (String, Option<SessionId>) {
        match self {
            Self::User { user, session } => (format!("user:{user}"), Some(session)),
            Self::Key(key) => (format!("key:{key}"), None),
        }
    }

    fn from_wire(sub: &str, sid: Option<SessionId>) -> Option<Self> {
        match (sub.split_once(':')?, sid) {
            (("user", id), Some(session)) => Some(Self::User { user: id.parse().ok()?, session }),
            (("key", id), None) => Some(Self::Key(id.parse().ok()?)),
            _ => None,
        }
    }
}
