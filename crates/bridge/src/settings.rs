//! What is bridged, and to whom.

use std::ffi::OsString;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Secret;
use vault::Entropy;

/// What is bridged, and to whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's program.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// All of its environment: nothing is inherited.
    pub environment: Vec<(OsString, OsString)>,
    /// What every request must bring as `Authorization: Bearer`.
    pub token: Secret<String>,
    /// Host names that may be called besides those of this machine.
    pub hosts: Vec<String>,
    /// Origins whose pages may call, besides those that were served from here.
    pub origins: Vec<String>,
    /// How long a session may go unused.
    pub idle: Duration,
    /// Sessions at once.
    pub max_sessions: usize,
    /// Bytes of a line that the server writes.
    pub max_line: usize,
    /// How long a process may take to end: after its input is closed, and again after it is told to terminate.
    pub grace: Duration,
    /// How long a server may think about whether it speaks 2026-07-28, before it is asked for the older revisions as well: one
    /// of those may leave a question unanswered that it does not know.
    pub thinks: Duration,
    /// How long no process is started after the first that ended by itself; doubled for each that follows.
    pub first_wait: Duration,
    /// The longest of these waits.
    pub longest_wait: Duration,
}

impl Settings {
    /// The defaults for a program: half an hour of idleness, 64 sessions, lines of 16 MiB.
    pub fn new(program: OsString, token: Secret<String>) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            token,
            hosts: Vec::new(),
            origins: Vec::new(),
            idle: Duration::from_mins(30),
            max_sessions: 64,
            max_line: 16 * 1024 * 1024,
            grace: Duration::from_secs(2),
            thinks: Duration::from_secs(5),
            first_wait: Duration::from_millis(250),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// A token that nobody can guess.
pub fn generated_token(entropy: &Entropy) -> Secret<String> {
    Secret::new(format!("tg_bridge_{}", random_text(entropy)))
}

/// 32 random bytes as visible ASCII.
pub(crate) fn random_text(entropy: &Entropy) -> String {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<32>())
}
