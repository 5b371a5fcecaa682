//! Passwords: argon2id with the parameters OWASP names first (19 MiB, 2 passes, 1 lane), as PHC strings.
//!
//! Hashing takes tens of milliseconds of one core by design: call it inside `spawn_blocking`.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, CustomizedPasswordHasher, Params, PasswordVerifier, Version};
use domain::Secret;

use crate::{Entropy, Error};

/// Checked when there is no such user, so that the answer takes as long as for one there is.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The PHC string of a password, with a salt of its own.
pub fn hash(password: &Secret<String>, entropy: &Entropy) -> Result<String, Error> {
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|_| Error::Backend)?;
    let salt: [u8; 16] = entropy.bytes();
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_customized(password.expose().as_bytes(), &salt, None, None, params)
        .map_err(|_| Error::Backend)?;
    Ok(hash.to_string())
}

/// Whether the password is the one behind `stored`. Without a stored hash the answer is no, as slowly.
pub fn verify(password: &Secret<String>, stored: Option<&str>) -> Result<bool, Error> {
    let hash = PasswordHash::new(stored.unwrap_or(NOBODY)).map_err(|_| Error::PasswordHash)?;
    let matches = match Argon2::default().verify_password(password.expose().as_bytes(), &hash) {
        Ok(()) => true,
        Err(argon2::password_hash::Error::PasswordInvalid) => false,
        Err(_) => return Err(Error::PasswordHash),
    };
    Ok(matches && stored.is_some())
}
