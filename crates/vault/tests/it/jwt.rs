//! Access tokens: those we signed, for us, in their time; and none of the well-known forgeries.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{Role, SessionId, UserId};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use vault::jwt::{Claims, Holder, MAX_LIFETIME, Signer};
use vault::{Entropy, Error};

use crate::{NEW, OLD, keyring, tenant};

const ISSUER: &str = "https://tollgate.example";
const AUDIENCE: &str = "https://tollgate.example/api";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn signer(keys: &[&str]) -> Signer {
    Signer::new(&keyring(keys), ISSUER, AUDIENCE).unwrap()
}

fn claims() -> Claims {
    let user: UserId = tenant().uuid().into();
    let session: SessionId = tenant().uuid().into();
    Claims { holder: Holder::User { user, session }, tenant: tenant(), role: Role::Editor }
}

fn issue(signer: &Signer) -> String {
    issue_for(signer, claims(), MAX_LIFETIME)
}

fn issue_for(signer: &Signer, claims: Claims, lifetime: TimeDelta) -> String {
    signer.issue(claims, lifetime, now(), &Entropy::seeded(1)).unwrap().token.expose().clone()
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn payload(token: &str) -> Value {
    let encoded = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
}

#[test]
fn a_token_carries_its_claims() {
    let signer = signer(&[OLD]);
    let key = Claims { holder: Holder::Key(tenant().uuid().into()), role: Role::Viewer, ..claims() };
    for claims in [claims(), key] {
        assert_eq!(signer.verify(&issue_for(&signer, claims, MAX_LIFETIME), now()), Ok(claims));
    }
    let wire = payload(&issue(&signer));
    assert_eq!(wire["iss"], ISSUER);
    assert_eq!(wire["aud"], AUDIENCE);
    assert_eq!(wire["sub"], format!("user:{}", tenant()));
    assert_eq!(wire["exp"], 1_800_000_900);
}

#[test]
fn the_key_set_is_the_vectors() {
    // Made with Python's `cryptography`: the seed is HKDF of bytes 0 to 31, the id an RFC 7638 thumbprint.
    assert_eq!(
        signer(&[OLD]).jwks().unwrap(),
        json!({"keys": [{
            "use": "sig",
            "alg": "EdDSA",
            "kid": "LjBGptzF-7qwop3ASRypPrZmotBR9u9uzqc77wOFMak",
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "J12InmxmAu2uhDeCTUPOi7JRtlxUsvcLyHFjmpZbyw0",
        }]})
    );
    assert_eq!(signer(&[NEW, OLD]).jwks().unwrap()["keys"].as_array().map(Vec::len), Some(2));
}

#[test]
fn the_newest_key_signs_and_the_old_ones_are_still_taken() {
    let (old, both, new) = (signer(&[OLD]), signer(&[NEW, OLD]), signer(&[NEW]));
    assert_eq!(both.verify(&issue(&old), now()), Ok(claims()));
    assert_eq!(new.verify(&issue(&both), now()), Ok(claims()));
    assert_eq!(new.verify(&issue(&old), now()), Err(Error::NotAToken));
}

#[test]
fn a_token_lives_for_its_time_and_at_most_fifteen_minutes() {
    let signer = signer(&[OLD]);
    let minute = issue_for(&signer, claims(), TimeDelta::minutes(1));
    assert_eq!(signer.verify(&minute, now() + TimeDelta::seconds(59)), Ok(claims()));
    assert_eq!(signer.verify(&minute, now() + TimeDelta::seconds(60)), Err(Error::Expired));

    let issued = signer.issue(claims(), TimeDelta::hours(9), now(), &Entropy::System).unwrap();
    assert_eq!(issued.expires_at, now() + MAX_LIFETIME);
    assert_eq!(signer.verify(issued.token.expose(), now() + MAX_LIFETIME), Err(Error::Expired));

    // Another replica's clock may be a little ahead, not more.
    assert_eq!(signer.verify(&minute, now() - TimeDelta::seconds(30)), Ok(claims()));
    assert_eq!(signer.verify(&minute, now() - TimeDelta::seconds(31)), Err(Error::NotAToken));
}

#[test]
fn a_token_for_somebody_else_is_refused() {
    let ours = signer(&[OLD]);
    for (issuer, audience) in [("https://evil.example", AUDIENCE), (ISSUER, "https://tollgate.example/mcp")] {
        let theirs = Signer::new(&keyring(&[OLD]), issuer, audience).unwrap();
        assert_eq!(ours.verify(&issue(&theirs), now()), Err(Error::NotAToken));
    }
}

#[test]
fn the_algorithm_is_ours_to_choose() {
    let signer = signer(&[OLD]);
    let token = issue(&signer);
    let jwk = signer.jwks().unwrap()["keys"][0].clone();
    let kid = jwk["kid"].as_str().unwrap();
    let body = part(&payload(&token));

    for alg in ["none", "None", "NONE", "HS256", "ES256", "RS256"] {
        let header = part(&json!({"typ": "JWT", "alg": alg, "kid": kid}));
        let signature = token.rsplit('.').next().unwrap();
        for signature in ["", signature] {
            let forged = format!("{header}.{body}.{signature}");
            assert_eq!(signer.verify(&forged, now()), Err(Error::NotAToken), "{alg}");
        }
    }

    // The public key as an HMAC secret, in each form that a careless library would take it in.
    let x = jwk["x"].as_str().unwrap();
    for secret in [x.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(x).unwrap(), jwk.to_string().into_bytes()] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.to_owned());
        let key = EncodingKey::from_secret(&secret);
        let forged = jsonwebtoken::encode(&header, &payload(&token), &key).unwrap();
        assert_eq!(signer.verify(&forged, now()), Err(Error::NotAToken));
    }
}

#[test]
fn a_changed_token_is_refused() {
    let signer = signer(&[OLD]);
    let token = issue(&signer);
    let [header, body, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();

    let mut promoted = payload(&token);
    promoted["role"] = json!("owner");
    let no_kid = part(&json!({"typ": "JWT", "alg": "EdDSA"}));
    let other_kid = part(&json!({"typ": "JWT", "alg": "EdDSA", "kid": "../keys/1"}));
    for forged in [
        format!("{header}.{}.{signature}", part(&promoted)),
        format!("{no_kid}.{body}.{signature}"),
        format!("{other_kid}.{body}.{signature}"),
        format!("{header}.{body}."),
        format!("{header}.{body}"),
        format!("{token}.{signature}"),
        format!("{token}="),
        format!("{token}{}", "A".repeat(4096)),
        String::new(),
        "..".to_owned(),
        "tg_key_abc".to_owned(),
    ] {
        assert_eq!(signer.verify(&forged, now()), Err(Error::NotAToken), "{forged}");
    }
}

#[test]
fn nothing_prints_a_key_or_a_token() {
    let signer = signer(&[OLD]);
    let issued = signer.issue(claims(), MAX_LIFETIME, now(), &Entropy::System).unwrap();
    assert!(!format!("{issued:?}").contains("ey"), "{issued:?}");
    assert_eq!(
        format!("{signer:?}"),
        r#"Signer { issuer: "https://tollgate.example", keys: ["LjBGptzF-7qwop3ASRypPrZmotBR9u9uzqc77wOFMak"], .. }"#
    );
}
