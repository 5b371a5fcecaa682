//! The requests of one session and their streams: what they are told is kept, so that a client may lose its connection.

use std::sync::Arc;

use bytes::Bytes;
use mcp::Id;

use super::{Board, Original, Over};
use crate::streams::{Event, LISTENED, Next, Place};

/// Requests of a session that wait for the server.
const MOST_OPEN: usize = 256;

/// A request that the server has not answered.
#[derive(Debug)]
pub(super) struct Open {
    /// Its stream, which also says when it came among the others.
    pub stream: u64,
    progress: Option<Id>,
    /// Its client hears what comes before the answer.
    hears: bool,
}

/// Why a request is not put to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// Another of this id is not answered yet.
    SameId,
    /// Too many are not answered yet.
    TooMany,
    /// There is no process any more.
    Over(Over),
}

/// Reads one stream of a session.
#[derive(Debug)]
pub(crate) struct Reader {
    board: Arc<Board>,
    place: Place,
}

impl Board {
    /// Puts a request of a session to the server, as the line that it is; `hears` if its client reads event streams.
    pub async fn ask_in_session(
        self: &Arc<Self>,
        original: Original,
        hears: bool,
        line: Bytes,
    ) -> Result<Reader, NotAsked> {
        let place = {
            let mut state = self.lock();
            if let Some(how) = &state.over {
                return Err(NotAsked::Over(Over(Arc::clone(how))));
            }
            if state.open.contains_key(&original.id) {
                return Err(NotAsked::SameId);
            }
            if state.open.len() == MOST_OPEN {
                return Err(NotAsked::TooMany);
            }
            state.given += 1;
            let stream = state.given;
            state.streams.begin(stream);
            state.open.insert(original.id, Open { stream, progress: original.progress, hears });
            state.streams.read(stream)
        };
        // Its end is told on the stream.
        let _ = self.write(line).await;
        let place = place.ok_or(NotAsked::TooMany)?;
        Ok(Reader { board: Arc::clone(self), place })
    }

    /// Whether the server asked this and waits for it; answered once.
    pub fn asked(&self, id: &Id) -> bool {
        self.lock().asked.remove(id)
    }

    /// The client wants no answer to this request any more.
    pub fn cancelled(&self, id: &Id) {
        let mut state = self.lock();
        if let Some(open) = state.open.remove(id) {
            state.streams.cancel(open.stream);
        }
    }

    /// Listens to what the server says by itself, in the place of whoever did before.
    pub fn listen(self: &Arc<Self>) -> Option<Reader> {
        let place = self.lock().streams.read(LISTENED)?;
        Some(Reader { board: Arc::clone(self), place })
    }

    /// Reads a stream on behind the event of this id, if it is still kept.
    pub fn resume(self: &Arc<Self>, id: &str) -> Option<Reader> {
        let place = self.lock().streams.resume(id)?;
        Some(Reader { board: Arc::clone(self), place })
    }

    pub(super) fn session_answer(&self, id: &Id, line: Bytes) {
        let mut state = self.lock();
        let Some(open) = state.open.remove(id) else { return };
        state.streams.push(open.stream, line);
        state.streams.finish(open.stream);
    }

    /// What the server says to the client of a session: progress to the request that asked for it; else on the stream of
    /// the newest request, which it most likely belongs to, or on the one that is listened to; one that is read, if there is.
    pub(super) fn to_session(&self, method: &str, message: &json::Value<'_>, line: &Bytes, asks: Option<Id>) {
        let mut state = self.lock();
        if method == "notifications/progress" && asks.is_none() {
            let token =
                message.get("params").and_then(|params| params.get("progressToken")).and_then(Id::read);
            let owner = state.open.values().find(|open| token.is_some() && open.progress == token);
            if let Some(stream) = owner.map(|open| open.stream) {
                return state.streams.push(stream, line.clone());
            }
            if token.is_some() {
                return;
            }
        }
        state.asked.extend(asks);
        let hearing = || state.open.values().filter(|open| open.hears).map(|open| open.stream);
        let stream = hearing()
            .filter(|stream| state.streams.is_read(*stream))
            .max()
            .or_else(|| state.streams.is_read(LISTENED).then_some(LISTENED))
            .or_else(|| hearing().max())
            .unwrap_or(LISTENED);
        state.streams.push(stream, line.clone());
    }
}

impl Reader {
    /// The next event, when there is one; nothing when there will be none.
    pub async fn next(&mut self) -> Option<Event> {
        let wake = Arc::clone(&self.place.wake);
        loop {
            // Before it is looked, so that nothing is missed between.
            let woken = wake.notified();
            let next = self.board.look().streams.next(&mut self.place);
            match next {
                Next::Event(event) => return Some(event),
                Next::Over => return None,
                Next::Nothing => woken.await,
            }
        }
    }

    /// What a stream is begun with, so that it can be resumed from here.
    pub fn id(&self) -> String {
        self.place.id()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.board.lock().streams.leave(&self.place);
    }
}
