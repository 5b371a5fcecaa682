//! Assertions by which a client of an authorization server proves who it is (RFC 7523, 2.2): a short JWT, signed with the private
//! key that belongs to the public one that is stored there.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Secret;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Entropy, Error};

/// An assertion is good for so long.
const LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// A private key that assertions are signed with.
#[derive(Debug)]
pub struct AssertionKey(Kind);

#[derive(Debug)]
enum Kind {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl AssertionKey {
    /// Reads a key in PEM, as `openssl genpkey` writes it: P-256, P-384, Ed25519, or RSA of at least 2048 bits.
    pub fn read(pem: &Secret<String>) -> Result<Self, Error> {
        let der = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes()).map_err(|_| Error::NotAKey)?;
        let bytes = der.secret_der();
        let p256 = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes);
        let p384 = || EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes);
        let rsa = || RsaKeyPair::from_pkcs8(bytes).or_else(|_| RsaKeyPair::from_der(bytes));
        let kind = p256.map(Kind::P256).or_else(|_| p384().map(Kind::P384));
        let kind = kind.or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map(Kind::Ed25519));
        kind.or_else(|_| rsa().map(Kind::Rsa)).map(Self).map_err(|_| Error::NotAKey)
    }

    /// The name of the algorithm that belongs to the key (RFC 7518, 3.1).
    pub fn algorithm(&self) -> &'static str {
        match &self.0 {
            Kind::P256(_) => "ES256",
            Kind::P384(_) => "ES384",
            Kind::Ed25519(_) => "EdDSA",
            Kind::Rsa(_) => "RS256",
        }
    }

    /// The public key as a JSON Web Key (RFC 7517), named `key_id`, or by its own thumbprint (RFC 7638).
    pub fn public(&self, key_id: Option<&str>) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        // Only the members that are required, whose names are in order: what a thumbprint is made of.
        let mut key = match &self.0 {
            Kind::P256(key) | Kind::P384(key) => {
                let point = key.public_key().as_ref();
                let (x, y) =
                    point.get(1..).and_then(|both| both.split_at_checked(both.len() / 2)).unwrap_or_default();
                let curve = if matches!(self.0, Kind::P256(_)) { "P-256" } else { "P-384" };
                json!({ "crv": curve, "kty": "EC", "x": text(x), "y": text(y) })
            }
            Kind::Ed25519(key) => {
                json!({ "crv": "Ed25519", "kty": "OKP", "x": text(key.public_key().as_ref()) })
            }
            Kind::Rsa(key) => {
                let key = key.public_key();
                let (e, n) = (key.exponent(), key.modulus());
                json!({
                    "e": text(e.big_endian_without_leading_zero()),
                    "kty": "RSA",
                    "n": text(n.big_endian_without_leading_zero()),
                })
            }
        };
        key.sort_all_objects();
        let named = key_id.map_or_else(|| text(&crate::sha256(key.to_string().as_bytes())), str::to_owned);
        key["kid"] = named.into();
        key["alg"] = self.algorithm().into();
        key["use"] = "sig".into();
        key
    }

    /// An assertion of `client` for the authorization server `audience`, by the key that it knows as `key_id`. Each is another
    /// one.
    pub fn assert(
        &self,
        (client, key_id): (&str, Option<&str>),
        audience: &str,
        now: DateTime<Utc>,
        entropy: &Entropy,
    ) -> Result<Secret<String>, Error> {
        let id: Uuid = entropy.id(now);
        let claims = json!({
            "iss": client,
            "sub": client,
            "aud": audience,
            "jti": id,
            "iat": now.timestamp(),
            "exp": (now + LIFETIME).timestamp(),
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut header = json!({ "alg": self.algorithm(), "typ": "JWT" });
        if let Some(key_id) = key_id {
            header["kid"] = key_id.into();
        }
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        Ok(match &self.0 {
            Kind::P256(key) | Kind::P384(key) => key.sign(&random, message)?.as_ref().to_vec(),
            Kind::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Kind::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
        })
    }
}
