//! What the demo remembers between runs: its keys, its database password and its log-in, in one private file.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use vault::Entropy;

/// Made at the first run; a later run logs in with what it finds.
#[derive(Serialize, Deserialize)]
pub struct State {
    /// An entry for `TOLLGATE_KEYS`.
    pub keys: String,
    /// Of the application's login role.
    pub database_password: String,
    /// Of the demo's person.
    pub password: String,
}

impl State {
    /// Reads `demo.json` in `directory`, or makes it, readable by its owner alone.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub fn open(directory: &Path, entropy: &Entropy) -> anyhow::Result<Self> {
        let path = directory.join("demo.json");
        if path.exists() {
            let text = fs::read(&path).with_context(|| format!("`{}` can't be read", path.display()))?;
            return serde_json::from_slice(&text)
                .with_context(|| format!("`{}` is damaged: remove it for a fresh demo", path.display()));
        }
        let state = Self {
            keys: crate::keys::new_entry("demo", entropy),
            database_password: crate::keys::random_text(entropy),
            password: crate::keys::random_text(entropy),
        };
        fs::create_dir_all(directory).with_context(|| format!("`{}` can't be made", directory.display()))?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&serde_json::to_vec_pretty(&state)?)?;
        Ok(state)
    }
}
