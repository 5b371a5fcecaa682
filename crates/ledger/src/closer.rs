//! Closings go to Redis together: while some of a shard are on their way, those that come meanwhile wait, and go as the
//! next batch. A lone one goes at once; under load one script, and one round trip, serves many.

use std::sync::Arc;

use domain::{DecisionId, TenantId};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::{mpsc, oneshot};

use crate::connection::Connection;
use crate::keys::Keys;
use crate::operation::Whole;
use crate::scripts::CLOSE;
use crate::shard::PerShard;
use crate::{GiveBack, LedgerError, Shard};

/// Closings that go together, at most: so that no other operation waits long for the script.
const MOST: usize = 64;
/// Closings that wait for their answer; further ones wait for a place.
const WAITING: usize = 4096;

/// Where closings are handed in.
#[derive(Clone, Debug)]
pub(crate) struct Closer(mpsc::Sender<Waiting>);

/// One closing, and who waits for it.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) tenant: TenantId,
    pub(crate) decision: DecisionId,
    pub(crate) record: Vec<u8>,
    pub(crate) give_back: GiveBack,
    /// Told whether something was given back.
    pub(crate) done: oneshot::Sender<Result<bool, LedgerError>>,
}

/// The closings of one shard.
#[derive(Default)]
struct Lane {
    waiting: Vec<Waiting>,
    /// Some are on their way.
    busy: bool,
}

impl Closer {
    /// Starts sending, until the last handle is dropped.
    pub(crate) fn start(connection: Arc<Connection>, keys: Keys) -> Self {
        let (sender, queue) = mpsc::channel(MOST);
        tokio::spawn(run(connection, keys, queue));
        Self(sender)
    }

    /// Hands one in; waits while too many do.
    pub(crate) async fn send(&self, waiting: Waiting) -> Result<(), LedgerError> {
        self.0.send(waiting).await.map_err(|_| ended())
    }
}

/// Each shard has one batch on its way at a time: one whose server is slow, or that is being moved, holds up no other.
async fn run(connection: Arc<Connection>, keys: Keys, mut queue: mpsc::Receiver<Waiting>) {
    let mut lanes: PerShard<Lane> = PerShard::default();
    let mut sent: FuturesUnordered<BoxFuture<'static, (Shard, usize)>> = FuturesUnordered::new();
    let door = Arc::new((connection, keys));
    let mut came: Vec<Waiting> = Vec::with_capacity(MOST);
    let (mut waiting, mut open) = (0, true);
    while open || !sent.is_empty() {
        tokio::select! {
            more = queue.recv_many(&mut came, MOST), if open && waiting < WAITING => {
                open = more > 0;
                waiting += more;
                for closing in came.drain(..) {
                    lanes[Shard::of(closing.tenant)].waiting.push(closing);
                }
            }
            Some((shard, closed)) = sent.next() => {
                lanes[shard].busy = false;
                waiting -= closed;
            }
        }
        for shard in Shard::all() {
            if let Some(batch) = lanes[shard].next() {
                sent.push(close(Arc::clone(&door), shard, batch).boxed());
            }
        }
    }
}

impl Lane {
    /// What is to be sent now, if anything.
    fn next(&mut self) -> Option<Vec<Waiting>> {
        if self.busy || self.waiting.is_empty() {
            return None;
        }
        self.busy = true;
        let rest = self.waiting.split_off(self.waiting.len().min(MOST));
        Some(std::mem::replace(&mut self.waiting, rest))
    }
}

/// The runtime that sent closings is gone.
pub(crate) fn ended() -> LedgerError {
    LedgerError::Away("this process is ending".to_owned())
}

/// Answers how many it has closed, or failed to.
async fn close(door: Arc<(Arc<Connection>, Keys)>, shard: Shard, batch: Vec<Waiting>) -> (Shard, usize) {
    let (connection, keys) = &*door;
    let closings = batch.len();
    let mut call = CLOSE.prepare_invoke();
    call.key(keys.stream(shard));
    for waiting in &batch {
        call.key(keys.reservation(waiting.tenant, waiting.decision))
            .arg(waiting.tenant.uuid().simple().to_string())
            .arg(&waiting.record)
            .arg(wanted(&waiting.give_back));
    }
    // Whole: counters that have not come to a new node yet would look there as if they were over.
    let answer: Result<Vec<i64>, _> = connection.send(shard, &mut Whole(&call)).await;
    let answer = answer
        .and_then(|gave| if gave.len() == batch.len() { Ok(gave) } else { Err(LedgerError::shape("close")) });
    for (at, waiting) in batch.into_iter().enumerate() {
        let told = answer.as_ref().map(|gave| gave[at] == 1).map_err(Clone::clone);
        // Who does not wait any more has nothing to be told.
        let _ = waiting.done.send(told);
    }
    (shard, closings)
}

/// As `close.lua` reads it.
fn wanted(give_back: &GiveBack) -> String {
    match give_back {
        GiveBack::Nothing => "none".to_owned(),
        GiveBack::All => "all".to_owned(),
        GiveBack::Only(charges) => {
            charges.iter().fold(" ".to_owned(), |list, charge| list + &charge.to_string() + " ")
        }
    }
}
