//! `tollgate keys`: makes entries for `TOLLGATE_KEYS`, and seals what is stored anew with the newest.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use vault::Entropy;

/// A new entry for `TOLLGATE_KEYS`: an id and 32 random bytes.
pub fn new_entry(id: &str, entropy: &Entropy) -> String {
    format!("{id}:{}", STANDARD.encode(entropy.bytes::<32>()))
}

/// A random text of 192 bits that can stand in a URL: a password of ours that nobody types.
pub fn random_text(entropy: &Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<24>())
}

/// Prints a new entry, named after the day it was made.
///
/// # Errors
/// Standard output can't be written.
pub fn print_new(now: DateTime<Utc>, entropy: &Entropy) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{}", new_entry(&now.format("k%Y%m%d").to_string(), entropy))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use vault::Keyring;

    use super::*;

    #[test]
    fn a_new_entry_is_a_keyring() {
        let keys = format!("{},{}", new_entry("b", &Entropy::System), new_entry("a", &Entropy::System));
        let keyring: Keyring = keys.parse().unwrap();
        assert_eq!(keyring.key_ids().collect::<Vec<_>>(), ["b", "a"]);
    }
}
