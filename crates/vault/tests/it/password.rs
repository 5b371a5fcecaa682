//! Password hashes: the standard's, salted, and no answer to whether a user exists.

use domain::Secret;
use vault::{Entropy, Error, password};

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

#[test]
fn verifies_a_hash_of_the_reference_implementation() {
    // From the tests of phc-winner-argon2: argon2id, v=19, t=2, m=2^16, p=1, salt "somesalt".
    let stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_eq!(password::verify(&secret("password"), Some(stored)), Ok(true));
    assert_eq!(password::verify(&secret("Password"), Some(stored)), Ok(false));
}

#[test]
fn hashes_with_its_own_salt_and_the_stated_cost() {
    let one = password::hash(&secret("correct horse"), &Entropy::System).unwrap();
    let two = password::hash(&secret("correct horse"), &Entropy::System).unwrap();
    assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
    assert_ne!(one, two);
    assert_eq!(password::verify(&secret("correct horse"), Some(&one)), Ok(true));
    assert_eq!(password::verify(&secret("correct horsf"), Some(&one)), Ok(false));
    assert_eq!(password::verify(&secret(""), Some(&one)), Ok(false));
}

#[test]
fn nobody_has_no_password() {
    for guess in ["", "password", "\0"] {
        assert_eq!(password::verify(&secret(guess), None), Ok(false));
    }
}

#[test]
fn a_broken_hash_is_an_error_and_not_a_no() {
    for stored in ["", "hunter2", "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ", "$md5$c29tZXNhbHQ$AAAA"] {
        assert_ne!(password::verify(&secret("hunter2"), Some(stored)), Ok(true), "{stored}");
    }
    assert_eq!(password::verify(&secret("hunter2"), Some("hunter2")), Err(Error::PasswordHash));
}
