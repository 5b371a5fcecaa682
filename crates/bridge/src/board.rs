//! Who waits for what the server says: every line of one process is handed to the request it belongs to, or to the
//! stream that a client listens on.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mcp::{Edits, Id, code, reply};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::child::Child;

/// Messages that wait for one client.
const UNDER_WAY: usize = 256;
/// Key of the subscription in the `_meta` of what it brings.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// Whose process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// One session's: its ids are the server's, and the server may ask its client.
    Session,
    /// Everybody's: ids are given anew, and there is nobody whom the server could ask.
    Shared,
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
    pending: HashMap<Id, Pending>,
    /// What the client of a session listens on.
    stream: Option<mpsc::Sender<Bytes>>,
    /// What came while nobody listened.
    kept: VecDeque<Bytes>,
    /// Requests of the server that its client has not answered.
    asked: HashSet<Id>,
    /// Numbers given to requests so far.
    given: i64,
    used: Instant,
    over: Option<Arc<str>>,
}

/// A request that the server has not answered.
#[derive(Debug)]
struct Pending {
    notes: mpsc::Sender<Bytes>,
    answer: oneshot::Sender<Bytes>,
    /// When it came, among the others.
    place: i64,
    original: Original,
}

/// What a request is known by to whoever sent it.
#[derive(Debug, Clone)]
pub(crate) struct Original {
    /// Its id.
    pub id: Id,
    /// Its `progressToken`, if it has one.
    pub progress: Option<Id>,
}

/// The way of one request's messages. Dropped, it says that nobody waits any more.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// What comes before the answer.
    pub notes: mpsc::Receiver<Bytes>,
    /// The answer; broken off if the process ends first.
    pub answer: oneshot::Receiver<Bytes>,
    key: Id,
    board: Arc<Board>,
}

/// The process is gone, for this reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Over(pub Arc<str>);

/// Why a request is not put to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotAsked {
    /// Another of this id is not answered yet.
    SameId,
    /// There is no process any more.
    Over(Over),
}

impl Board {
    /// Hands out what `lines` brings, until the process ends.
    pub fn start(child: Child, kind: Use, mut lines: mpsc::Receiver<Bytes>) -> Arc<Self> {
        let state = State {
            pending: HashMap::new(),
            stream: None,
            kept: VecDeque::new(),
            asked: HashSet::new(),
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
            state.over = Some(how);
            // Whoever waits sees its answer broken off, and asks why.
            state.pending.clear();
            state.stream = None;
        });
        board
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used = Instant::now();
        state
    }

    /// Puts a request to the server. `write` makes its line for the id and the progress token that the server is to know.
    pub async fn ask(
        self: &Arc<Self>,
        original: Original,
        write: impl FnOnce(&Id) -> Bytes,
    ) -> Result<Exchange, NotAsked> {
        let (notes, before) = mpsc::channel(UNDER_WAY);
        let (answer, after) = oneshot::channel();
        let (key, line) = {
            let mut state = self.lock();
            if let Some(how) = &state.over {
                return Err(NotAsked::Over(Over(Arc::clone(how))));
            }
            state.given += 1;
            let place = state.given;
            let key = if self.kind == Use::Shared { Id::Number(place) } else { original.id.clone() };
            if state.pending.contains_key(&key) {
                return Err(NotAsked::SameId);
            }
            let line = write(&key);
            state.pending.insert(key.clone(), Pending { notes, answer, place, original });
            (key, line)
        };
        let exchange = Exchange { notes: before, answer: after, key, board: Arc::clone(self) };
        self.write(line).await.map_err(NotAsked::Over)?;
        Ok(exchange)
    }

    /// Writes a line that nobody waits for.
    pub async fn write(&self, line: Bytes) -> Result<(), Over> {
        if self.child.write(line).await {
            return Ok(());
        }
        Err(Over(self.child.ended().await))
    }

    /// Whether the server asked this and waits for it; answered once.
    pub fn asked(&self, id: &Id) -> bool {
        self.lock().asked.remove(id)
    }

    /// Listens to what the server says by itself, in the place of whoever did before.
    pub fn listen(&self) -> mpsc::Receiver<Bytes> {
        let (sender, receiver) = mpsc::channel(UNDER_WAY);
        let mut state = self.lock();
        for line in std::mem::take(&mut state.kept) {
            let _ = sender.try_send(line);
        }
        if state.over.is_none() {
            state.stream = Some(sender);
        }
        receiver
    }

    /// How the process ended, if it has.
    pub fn over(&self) -> Option<Over> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).over.clone().map(Over)
    }

    /// How long nobody has used it: nothing while somebody waits or listens.
    pub fn idle(&self) -> Duration {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let listened = state.stream.as_ref().is_some_and(|stream| !stream.is_closed());
        if state.pending.is_empty() && !listened { state.used.elapsed() } else { Duration::ZERO }
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
        let Ok(message) = json::parse(&line, json::MAX_DEPTH) else { return self.unread(line) };
        let id = message.get("id").and_then(Id::read);
        match (message.get("method").and_then(json::Value::as_str), id) {
            (None, Some(id)) => self.answer(&message, &line, &id),
            (Some(_), Some(id)) if self.kind == Use::Session => self.to_session(&line, Some(&id)),
            (Some(method), Some(id)) => self.child.write_soon(nobody_to_ask(method, &id)),
            (Some(method), None) if self.kind == Use::Session => {
                let progress = message.get("params").and_then(|params| params.get("progressToken"));
                match progress.and_then(Id::read) {
                    Some(token) if method == "notifications/progress" => self.progress(&token, &line),
                    _ => self.to_session(&line, None),
                }
            }
            (Some(_), None) => self.to_sharer(&message, &line),
            (None, None) => {
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
        let Some((id, pending)) = id.and_then(|id| Some((id.clone(), self.lock().pending.remove(&id)?)))
        else {
            tracing::warn!("the server wrote a line that is no message: it is left out");
            return;
        };
        let line = match self.kind {
            Use::Session => line,
            Use::Shared => {
                tracing::warn!(%id, "the server gave an answer that can't be read in exactly one way");
                let what = "the server's answer can't be read in exactly one way";
                reply::error(Some(&pending.original.id), code::INTERNAL_ERROR, what, None).into()
            }
        };
        let _ = pending.answer.send(line);
    }

    fn answer(&self, message: &json::Value<'_>, line: &Bytes, id: &Id) {
        let Some(pending) = self.lock().pending.remove(id) else { return };
        let line = match self.kind {
            Use::Session => line.clone(),
            Use::Shared => restored(message, line, &pending.original),
        };
        let _ = pending.answer.send(line);
    }

    /// Progress goes to the request that asked for it.
    fn progress(&self, token: &Id, line: &Bytes) {
        let state = self.lock();
        let owner = state.pending.values().find(|pending| pending.original.progress.as_ref() == Some(token));
        if let Some(pending) = owner {
            let _ = pending.notes.try_send(line.clone());
        }
    }

    /// What the server says to the client of a session: on the stream of the newest request, which it most likely belongs
    /// to, else on the one that is listened to, else kept until one is.
    fn to_session(&self, line: &Bytes, asks: Option<&Id>) {
        let mut state = self.lock();
        state.asked.extend(asks.cloned());
        let newest = state.pending.values().max_by_key(|pending| pending.place).map(|pending| &pending.notes);
        let mut ways = newest.into_iter().chain(state.stream.as_ref());
        if ways.any(|way| way.try_send(line.clone()).is_ok()) {
            return;
        }
        if state.kept.len() == UNDER_WAY {
            state.kept.pop_front();
        }
        state.kept.push_back(line.clone());
    }

    /// A notification of the process that all share: by its progress token or subscription, else to the only one who
    /// waits. One that could be anybody's is nobody's.
    fn to_sharer(&self, message: &json::Value<'_>, line: &Bytes) {
        let state = self.lock();
        let params = message.get("params");
        let named = params
            .and_then(|params| params.get("progressToken").or_else(|| params.get("_meta")?.get(SUBSCRIPTION)))
            .and_then(Id::read);
        let owner = match named {
            Some(key) => state.pending.get(&key),
            None if state.pending.len() == 1 => state.pending.values().next(),
            None => None,
        };
        if let Some(pending) = owner {
            let _ = pending.notes.try_send(restored(message, line, &pending.original));
        }
    }

    /// Nobody waits for this request any more.
    fn left(&self, key: &Id) {
        let waited = self.lock().pending.remove(key).is_some();
        // A session's client says itself when it cancels; a stateless one goes away.
        if waited && self.kind == Use::Shared {
            let params = serde_json::json!({ "requestId": key.to_json(), "reason": "the client went away" });
            let note = serde_json::json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params,
            });
            self.child.write_soon(format!("{note}\n").into());
        }
    }
}

impl Exchange {
    /// How the process ended before it answered.
    pub async fn broken_off(&self) -> Over {
        self.board.ended().await
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.board.left(&self.key);
    }
}

/// A message with the ids that its reader knows.
fn restored(message: &json::Value<'_>, line: &Bytes, original: &Original) -> Bytes {
    let mut edits = Edits::default();
    let id = original.id.to_json().to_string();
    if message.get("method").is_none()
        && let Some(given) = message.get("id")
    {
        edits.replace(given.span, id.clone());
    }
    for part in [message.get("params"), message.get("result")].into_iter().flatten() {
        if let (Some(token), Some(progress)) = (part.get("progressToken"), &original.progress) {
            edits.replace(token.span, progress.to_json().to_string());
        }
        if let Some(subscription) = part.get("_meta").and_then(|meta| meta.get(SUBSCRIPTION)) {
            edits.replace(subscription.span, id.clone());
        }
    }
    edits.apply(line).map_or_else(|| line.clone(), Bytes::from)
}

/// The answer to a server that asks where there is no client of its own.
fn nobody_to_ask(method: &str, id: &Id) -> Bytes {
    let mut line = if method == "ping" {
        serde_json::json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": {} }).to_string().into_bytes()
    } else {
        reply::error(Some(id), code::METHOD_NOT_FOUND, "the client of this request can't be asked", None)
    };
    line.push(b'\n');
    line.into()
}
