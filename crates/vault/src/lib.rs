//! Secrets: the keyring that seals and signs, tokens, password hashes, JWT, and all randomness.
//!
//! One crypto backend, aws-lc-rs. Nothing here does I/O or reads a clock, and no `Debug` shows a key.

mod assertion;
mod entropy;
mod error;
pub mod jwt;
mod keyring;
pub mod password;
mod place;
mod token;

pub use assertion::AssertionKey;
pub use entropy::Entropy;
pub use error::Error;
pub use keyring::{Keyring, Opened, Purpose};
pub use place::Place;
pub use token::{Token, TokenKind};

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// The SHA-256 of `data` (FIPS 180-4).
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data).as_ref());
    out
}
