//! Sessions of the older revisions, each with a process of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcp::Version;
use tokio::time::Instant;
use vault::Entropy;

use crate::board::{Board, Use};
use crate::child::Child;
use crate::governor::Governor;
use crate::refusal::Refusal;
use crate::settings::{Settings, random_text};

/// What has to be known of a session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    /// Its id.
    pub id: String,
    /// Its process.
    pub board: Arc<Board>,
    /// What the handshake settled; none before.
    pub version: Option<Version>,
}

/// All sessions, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

impl Sessions {
    fn with<T>(&self, change: impl FnOnce(&mut HashMap<String, Session>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts a process for a new session.
    pub fn open(
        &self,
        settings: &Settings,
        governor: &Arc<Governor>,
        entropy: &Entropy,
    ) -> Result<Session, Refusal> {
        let id = random_text(entropy);
        self.with(|sessions| {
            sessions.retain(|_, session| session.board.over().is_none());
            if sessions.len() >= settings.max_sessions {
                return Err(Refusal::TooManySessions);
            }
            let board = started(settings, governor, &format!("session {}", &id[..8]), Use::Session)?;
            let session = Session { id: id.clone(), board, version: None };
            sessions.insert(id, session.clone());
            Ok(session)
        })
    }

    /// The session of this id, if its process lives.
    pub fn find(&self, id: &str) -> Result<Session, Refusal> {
        self.with(|sessions| {
            let found = sessions.get(id).filter(|session| session.board.over().is_none());
            found.cloned().ok_or(Refusal::SessionUnknown)
        })
    }

    /// Notes what the handshake settled.
    pub fn settle(&self, id: &str, version: Version) {
        self.with(|sessions| {
            if let Some(session) = sessions.get_mut(id) {
                session.version = Some(version);
            }
        });
    }

    /// Ends a session and its process.
    pub async fn end(&self, id: &str) {
        let session = self.with(|sessions| sessions.remove(id));
        if let Some(session) = session {
            session.board.stop().await;
        }
    }

    /// The sessions that nobody has used for so long.
    pub fn idle(&self, long: Duration) -> Vec<String> {
        self.with(|sessions| {
            sessions
                .values()
                .filter(|session| session.board.idle() >= long)
                .map(|session| session.id.clone())
                .collect()
        })
    }

    /// Ends them all.
    pub async fn end_all(&self) {
        let sessions: Vec<_> = self.with(std::mem::take).into_values().collect();
        futures_util::future::join_all(sessions.iter().map(|session| session.board.stop())).await;
    }
}

/// A process that was started, if it may be.
pub(crate) fn started(
    settings: &Settings,
    governor: &Arc<Governor>,
    name: &str,
    kind: Use,
) -> Result<Arc<Board>, Refusal> {
    governor.admit(Instant::now()).map_err(Refusal::Waiting)?;
    let (child, lines) = Child::start(settings, governor, name).map_err(|error| {
        tracing::error!(program = %settings.program.to_string_lossy(), %error, "the server can't be started");
        governor.ended(Instant::now(), Duration::ZERO);
        Refusal::NotStarted
    })?;
    Ok(Board::start(child, kind, lines))
}
