//! Assertions: each kind of key signs what its public key verifies.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use domain::Secret;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;
use vault::{AssertionKey, Entropy, Error};

fn pem(der: &[u8]) -> Secret<String> {
    let lines: Vec<_> = STANDARD.encode(der).into_bytes().chunks(64).map(<[u8]>::to_vec).collect();
    let text = String::from_utf8(lines.join(&b'\n')).unwrap();
    Secret::new(format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n"))
}

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> Vec<u8> {
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    pair.to_pkcs8v1().unwrap().as_ref().to_vec()
}

/// What an assertion says, once its signature is found to be of the public key that goes with it.
fn verified(token: &str, algorithm: Algorithm, public: &Value) -> Value {
    let public: Jwk = serde_json::from_value(public.clone()).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["https://as.example"]);
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&public).unwrap(), &validation);
    decoded.unwrap().claims
}

fn signed(pem: &Secret<String>, key_id: Option<&str>) -> (String, Value) {
    let (key, now) = (AssertionKey::read(pem).unwrap(), DateTime::from_timestamp(1000, 0).unwrap());
    let token = key.assert(("client", key_id), "https://as.example", now, &Entropy::System).unwrap();
    (token.expose().clone(), key.public(key_id))
}

#[test]
fn each_kind_of_key_signs_what_its_public_key_verifies() {
    let (p256, p384) = (ec(&ECDSA_P256_SHA256_FIXED_SIGNING), ec(&ECDSA_P384_SHA384_FIXED_SIGNING));
    let (ed, rsa) = (Ed25519KeyPair::generate().unwrap(), RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
    let (ed, rsa): (Pkcs8V1Der<'_>, Pkcs8V1Der<'_>) = (ed.as_der().unwrap(), rsa.as_der().unwrap());
    for (der, algorithm, name) in [
        (&p256[..], Algorithm::ES256, "ES256"),
        (&p384[..], Algorithm::ES384, "ES384"),
        (ed.as_ref(), Algorithm::EdDSA, "EdDSA"),
        (rsa.as_ref(), Algorithm::RS256, "RS256"),
    ] {
        let key = pem(der);
        let (token, public) = signed(&key, None);
        let claims = verified(&token, algorithm, &public);
        assert_eq!((&claims["iss"], &claims["sub"]), (&"client".into(), &"client".into()));
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1000), Some(1060)));
        assert_ne!(signed(&key, None).0, token, "each is another one");
        // A key is known by its thumbprint, unless it is known by something else; an assertion says what it is told.
        let jwk: Jwk = serde_json::from_value(public.clone()).unwrap();
        assert_eq!(public["kid"], jwk.thumbprint(ThumbprintHash::SHA256).unwrap());
        assert_eq!((&public["alg"], &public["use"]), (&name.into(), &"sig".into()));
        assert!(public.get("d").is_none());
        let (named, public) = signed(&key, Some("their 7"));
        assert_eq!(jsonwebtoken::decode_header(&named).unwrap().kid.as_deref(), Some("their 7"));
        assert_eq!(
            (&public["kid"], jsonwebtoken::decode_header(&token).unwrap().kid),
            (&"their 7".into(), None)
        );
    }
}

#[test]
fn what_is_no_private_key_is_refused() {
    let odd = pem(b"nothing");
    for text in ["", "secret", odd.expose().as_str()] {
        assert_eq!(AssertionKey::read(&Secret::new(text.to_owned())).unwrap_err(), Error::NotAKey, "{text}");
    }
}
