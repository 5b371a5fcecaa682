//! Who waits for what the server says: every line of one process is handed to the request it belongs to, or to the
//! stream that a client listens on.

mod session;
mod shared;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mcp::{Id, code, reply};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::child::Child;
use crate::offer::Offer;
use crate::refusal::Refusal;
use crate::streams::{LISTENED, Streams};

pub(crate) use session::{NotAsked, Reader};
pub(crate) use shared::{Exchange, Question, Said, Turn};

/// Messages that wait for one client of a shared process.
const UNDER_WAY: usize = 256;

/// Whose process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// One session's: its ids are the server's, and the server may ask its client.
    Session,
    /// Everybody's whose clients can be asked this: ids are given anew.
    Shared(Offer),
}

/// One process and who waits for it.
#[derive(Debug)]
pub(crate) struct Board {
    child: Child,
    kind: Use,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// A session's requests that the server has not answered.
    open: HashMap<Id, session::Open>,
    /// What the client of a session is told.
    streams: Streams,
    /// Requests of the server that its client has not answered.
    asked: HashSet<Id>,
    /// Requests of everybody that the server has not answered, by the ids that they were given.
    waiting: HashMap<Id, shared::Waiting>,
    /// What the server asks belongs to a call that has this turn.
    taken: bool,
    /// No request is put to it any more; it ends when those that wait are answered.
    retired: bool,
    /// Numbers given to requests so far.
    given: u64,
    used: Instant,
    over: Option<Arc<str>>,
}

/// What a request is known by to whoever sent it.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    /// Its id.
    pub id: Id,
    /// Its `progressToken`, if it has one.
    pub progress: Option<Id>,
}

/// The process is gone, for this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Over(pub Arc<str>);

impl Board {
    /// Hands out what `lines` brings, until the process ends.
    pub fn start(child: Child, kind: Use, mut lines: mpsc::Receiver<Bytes>) -> Arc<Self> {
        let state = State {
            open: HashMap::new(),
            streams: Streams::default(),
            asked: HashSet::new(),
            waiting: HashMap::new(),
            taken: false,
            retired: false,
            given: 0,
            used: Instant::now(),
            over: None,
        };
        let board = Arc::new(Self { child, kind, state: Mutex::new(state) });
        let own = Arc::clone(&board);
        tokio::spawn(async move {
            while let Some(line) = lines.recv().await {
                own.hand_out(line);
            }
            let how = own.child.ended().await;
            let mut state = own.lock();
            state.over = Some(Arc::clone(&how));
            // Whoever waits of those who share sees its answer broken off, and asks why; a session's clients are told.
            state.waiting.clear();
            for (id, open) in std::mem::take(&mut state.open) {
                let told = Refusal::Ended(Arc::clone(&how)).body(Some(&id));
                state.streams.push(open.stream, told.into());
                state.streams.finish(open.stream);
            }
            state.streams.finish(LISTENED);
        });
        board
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.look();
        state.used = Instant::now();
        state
    }

    /// Locks without saying that it is used.
    fn look(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line that nobody waits for.
    pub async fn write(&self, line: Bytes) -> Result<(), Over> {
        if self.child.write(line).await {
            return Ok(());
        }
        Err(Over(self.child.ended().await))
    }

    /// How the process ended, if it has.
    pub fn over(&self) -> Option<Over> {
        self.look().over.clone().map(Over)
    }

    /// How long nobody has used it: nothing while somebody waits or reads.
    pub fn idle(&self) -> Duration {
        let state = self.look();
        let used = !state.waiting.is_empty() || state.streams.are_read();
        if used { Duration::ZERO } else { state.used.elapsed() }
    }

    /// Ends the process, and waits for that.
    pub async fn stop(&self) {
        self.child.stop();
        self.child.ended().await;
    }

    /// Waits for the end of the process.
    pub async fn ended(&self) -> Over {
        Over(self.child.ended().await)
    }

    fn hand_out(&self, line: Bytes) {
        // Between the parts of a message they are blanks, and an event can't hold them.
        let line = if line.contains(&b'\r') {
            line.iter().map(|byte| if *byte == b'\r' { b' ' } else { *byte }).collect()
        } else {
            line
        };
        let Ok(message) = json::parse(&line, json::MAX_DEPTH) else { return self.unread(line) };
        let id = message.get("id").and_then(Id::read);
        match (message.get("method").and_then(json::Value::as_str), id, self.kind) {
            (None, Some(id), Use::Session) => self.session_answer(&id, line.clone()),
            (None, Some(id), Use::Shared(_)) => self.answer(&id, line.clone()),
            (Some(method), id, Use::Session) => self.to_session(method, &message, &line, id),
            (Some(method), Some(id), Use::Shared(offer)) => {
                self.question(offer, method, &id, &message, &line);
            }
            (Some(_), None, Use::Shared(_)) => self.to_sharer(&message, &line),
            (None, None, _) => {
                tracing::warn!("the server wrote a message that nobody can place: it is left out");
            }
        }
    }

    /// A line that can't be read in exactly one way. If some reader finds an answer in it, nobody must wait for that in vain.
    fn unread(&self, line: Bytes) {
        let id = serde_json::from_slice::<serde_json::Value>(&line).ok().and_then(|message| {
            let text = message.get("id").filter(|_| message.get("method").is_none())?.to_string();
            Id::read(&json::parse(text.as_bytes(), 1).ok()?)
        });
        match (id, self.kind) {
            (None, _) => tracing::warn!("the server wrote a line that is no message: it is left out"),
            (Some(id), Use::Session) => self.session_answer(&id, line),
            (Some(id), Use::Shared(_)) => {
                tracing::warn!(%id, "the server gave an answer that can't be read in exactly one way");
                let what = "the server's answer can't be read in exactly one way";
                self.answer(&id, reply::error(Some(&id), code::INTERNAL_ERROR, what, None).into());
            }
        }
    }
}
