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
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation};
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

/// What an assertion says, once its signature is found to be of the key.
fn verified(token: &str, algorithm: Algorithm, key: &EncodingKey) -> Value {
    let public = Jwk::from_encoding_key(key, algorithm).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&["https://as.example"]);
    validation.validate_exp = false;
    let decoded = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&public).unwrap(), &validation);
    decoded.unwrap().claims
}

fn signed(pem: &Secret<String>) -> (String, &'static str) {
    let (key, now) = (AssertionKey::read(pem).unwrap(), DateTime::from_timestamp(1000, 0).unwrap());
    let token = key.assert("client", "https://as.example", now, &Entropy::System).unwrap();
    (token.expose().clone(), key.algorithm())
}

#[test]
fn each_kind_of_key_signs_what_its_public_key_verifies() {
    let (p256, p384) = (ec(&ECDSA_P256_SHA256_FIXED_SIGNING), ec(&ECDSA_P384_SHA384_FIXED_SIGNING));
    let ed = Ed25519KeyPair::generate().unwrap();
    let ed: Pkcs8V1Der<'_> = ed.as_der().unwrap();
    for (der, algorithm, name, key) in [
        (&p256[..], Algorithm::ES256, "ES256", EncodingKey::from_ec_der(&p256)),
        (&p384[..], Algorithm::ES384, "ES384", EncodingKey::from_ec_der(&p384)),
        (ed.as_ref(), Algorithm::EdDSA, "EdDSA", EncodingKey::from_ed_der(ed.as_ref())),
    ] {
        let (token, chosen) = signed(&pem(der));
        assert_eq!(chosen, name);
        let claims = verified(&token, algorithm, &key);
        assert_eq!((&claims["iss"], &claims["sub"]), (&"client".into(), &"client".into()));
        assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(1000), Some(1060)));
        assert_ne!(signed(&pem(der)).0, token, "each is another one");
    }
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let (token, name) = signed(&pem(der.as_ref()));
    assert_eq!(name, "RS256");
    let (message, signature) = token.rsplit_once('.').unwrap();
    let public = aws_lc_rs::signature::KeyPair::public_key(&rsa);
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
        public.as_ref(),
    );
    let signature = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).unwrap();
    key.verify(message.as_bytes(), &signature).unwrap();
}

#[test]
fn what_is_no_private_key_is_refused() {
    let odd = pem(b"nothing");
    for text in ["", "secret", odd.expose().as_str()] {
        assert_eq!(AssertionKey::read(&Secret::new(text.to_owned())).unwrap_err(), Error::NotAKey, "{text}");
    }
}
