//! The vault against vectors made elsewhere, and against everybody who tampers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod assertion;
mod entropy;
mod jwt;
mod keyring;
mod password;
mod token;

use domain::TenantId;
use vault::Keyring;

/// Bytes 0 to 31: the key of the vectors.
const OLD: &str = "2026-01:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// Bytes 32 to 63.
const NEW: &str = "2026-02:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn keyring(keys: &[&str]) -> Keyring {
    keys.join(",").parse().unwrap()
}

fn tenant() -> TenantId {
    "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
