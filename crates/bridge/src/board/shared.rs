//! The requests that share a process: under ids of their own, so that they don't meet; one at a time may be asked back.

use std::sync::Arc;

use bytes::Bytes;
use mcp::{Edits, Id, code, reply};
use tokio::sync::{mpsc, oneshot};

use super::{Board, Original, Over, UNDER_WAY};
use crate::offer::Offer;

/// Key of the subscription in the `_meta` of what it brings.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A request that the server has not answered.
#[derive(Debug)]
pub(super) struct Waiting {
    notes: mpsc::Sender<Bytes>,
    answer: oneshot::Sender<Bytes>,
    /// Where what the server asks goes, if this is the call that may be asked.
    questions: Option<mpsc::Sender<Question>>,
}

/// What the server asks the client of a call.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Its id, which the answer has.
    pub id: Id,
    /// Its message.
    pub line: Bytes,
}

/// The right to be asked, which one call has at a time. Dropped before its call is answered, the process is used for no
/// other: nobody could tell what it asks then from what it asks for the next.
#[derive(Debug)]
pub(crate) struct Turn {
    board: Arc<Board>,
    /// Its call is put to the server, and not answered.
    open: bool,
}

/// The way of one request's messages. Dropped, it says that nobody waits any more.
#[derive(Debug)]
pub(crate) struct Exchange {
    notes: mpsc::Receiver<Bytes>,
    questions: Option<mpsc::Receiver<Question>>,
    answer: oneshot::Receiver<Bytes>,
    key: Id,
    original: Original,
    board: Arc<Board>,
    turn: Option<Turn>,
}

/// What the server says of a request.
#[derive(Debug)]
pub(crate) enum Said {
    /// On its way.
    Note(Bytes),
    /// It wants to know something first.
    Question(Question),
    /// At its end.
    Answer(Bytes),
    /// The process ended before it answered.
    End(Over),
}

impl Board {
    /// Whether requests may be put to it.
    pub fn usable(&self) -> bool {
        let state = self.look();
        state.over.is_none() && !state.retired
    }

    /// The right to be asked, if no other call has it.
    pub fn claim(self: &Arc<Self>) -> Option<Turn> {
        let mut state = self.lock();
        let free = !std::mem::replace(&mut state.taken, true);
        (free && !state.retired).then(|| Turn { board: Arc::clone(self), open: false })
    }

    /// Puts a request to the server. `write` makes its line for the id that the server is to know, also as its progress token.
    pub async fn ask(
        self: &Arc<Self>,
        original: Original,
        mut turn: Option<Turn>,
        write: impl FnOnce(&Id) -> Bytes,
    ) -> Result<Exchange, Over> {
        let (notes, before) = mpsc::channel(UNDER_WAY);
        let (answer, after) = oneshot::channel();
        let (questions, asked) = mpsc::channel(UNDER_WAY);
        let (questions, asked) = turn.as_ref().map(|_| (questions, asked)).unzip();
        let (key, line) = {
            let mut state = self.lock();
            if let Some(how) = &state.over {
                return Err(Over(Arc::clone(how)));
            }
            state.given += 1;
            let key = Id::Number(i64::try_from(state.given).unwrap_or(i64::MAX));
            let line = write(&key);
            state.waiting.insert(key.clone(), Waiting { notes, answer, questions });
            if let Some(turn) = &mut turn {
                turn.open = true;
            }
            (key, line)
        };
        let board = Arc::clone(self);
        let exchange =
            Exchange { notes: before, questions: asked, answer: after, key, original, board, turn };
        self.write(line).await?;
        Ok(exchange)
    }

    pub(super) fn answer(&self, id: &Id, line: Bytes) {
        let waiting = self.lock().waiting.remove(id);
        if let Some(waiting) = waiting {
            let _ = waiting.answer.send(line);
            self.end_if_retired();
        }
    }

    /// A notification of the process: by its progress token or subscription, else to the only one who waits. One that could
    /// be anybody's is nobody's.
    pub(super) fn to_sharer(&self, message: &json::Value<'_>, line: &Bytes) {
        let state = self.lock();
        let params = message.get("params");
        let named = params
            .and_then(|params| params.get("progressToken").or_else(|| params.get("_meta")?.get(SUBSCRIPTION)))
            .and_then(Id::read);
        let owner = match named {
            Some(key) => state.waiting.get(&key),
            None if state.waiting.len() == 1 => state.waiting.values().next(),
            None => None,
        };
        if let Some(waiting) = owner {
            let _ = waiting.notes.try_send(line.clone());
        }
    }

    /// What the server asks goes to the call that has the turn, if its client offered to be asked that.
    pub(super) fn question(
        &self,
        offer: Offer,
        method: &str,
        id: &Id,
        message: &json::Value<'_>,
        line: &Bytes,
    ) {
        let offered = offer.includes(method, message.get("params"));
        let question = Question { id: id.clone(), line: line.clone() };
        let sent = offered && {
            let state = self.lock();
            let asked = state.waiting.values().find_map(|waiting| waiting.questions.as_ref());
            asked.is_some_and(|questions| questions.try_send(question).is_ok())
        };
        if !sent {
            self.child.write_soon(nobody_to_ask(method, id));
        }
    }

    /// Nobody waits for this request any more.
    fn left(&self, key: &Id) {
        let waited = self.lock().waiting.remove(key).is_some();
        if waited {
            let params = serde_json::json!({ "requestId": key.to_json(), "reason": "the client went away" });
            let note = serde_json::json!({
                "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params,
            });
            self.child.write_soon(format!("{note}\n").into());
            self.end_if_retired();
        }
    }

    fn end_if_retired(&self) {
        let state = self.look();
        if state.retired && state.waiting.is_empty() {
            self.child.stop();
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.board.lock();
        state.taken = false;
        state.retired |= self.open;
        drop(state);
        self.board.end_if_retired();
    }
}

impl Exchange {
    /// What the server says next, in its order: what it said before its answer comes before it.
    pub async fn next(&mut self) -> Said {
        let questions = async {
            match &mut self.questions {
                Some(questions) => questions.recv().await,
                None => None,
            }
        };
        let said = tokio::select! {
            biased;
            Some(note) = self.notes.recv() => Said::Note(restored(&note, &self.original)),
            Some(question) = questions => Said::Question(question),
            answer = &mut self.answer => match answer {
                Ok(line) => Said::Answer(restored(&line, &self.original)),
                Err(_) => Said::End(self.board.ended().await),
            },
        };
        if let (Said::Answer(_), Some(turn)) = (&said, &mut self.turn) {
            turn.open = false;
        }
        said
    }

    /// A further question that has come already.
    pub fn asked_too(&mut self) -> Option<Question> {
        self.questions.as_mut()?.try_recv().ok()
    }

    /// Tells the server what its client answers.
    pub async fn tell(&self, line: Bytes) -> Result<(), Over> {
        self.board.write(line).await
    }

    /// Goes on for another request, which is also told what was said in the meantime.
    pub fn take_over(&mut self, original: Original) {
        self.original = original;
    }

    /// Whether its client hears of progress.
    pub fn hears_progress(&self) -> bool {
        self.original.progress.is_some()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        while let Some(question) = self.asked_too() {
            self.board.child.write_soon(nobody_to_ask("", &question.id));
        }
        self.board.left(&self.key);
    }
}

/// A message with the ids that its reader knows.
fn restored(line: &Bytes, original: &Original) -> Bytes {
    let Ok(message) = json::parse(line, json::MAX_DEPTH) else { return line.clone() };
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

/// The answer to a server that asks where there is no client that could be asked that.
fn nobody_to_ask(method: &str, id: &Id) -> Bytes {
    let mut line = if method == "ping" {
        serde_json::json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": {} }).to_string().into_bytes()
    } else {
        reply::error(Some(id), code::METHOD_NOT_FOUND, "the client of this request can't be asked", None)
    };
    line.push(b'\n');
    line.into()
}
