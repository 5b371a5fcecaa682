//! Closings go to Redis together: one script, and one round trip, serves many. One that gives something back goes at once,
//! since its caller waits; the others gather for some milliseconds, and while some of their shard are on their way.

use std::sync::Arc;
use std::time::Duration;

use domain::{DecisionId, TenantId};
use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::invocation::{Invocation, Text};
use crate::keys::Keys;
use crate::operation::Whole;
use crate::scripts::CLOSE;
use crate::shard::PerShard;
use crate::{GiveBack, LedgerError, Shard};

/// Closings that go together, at most: so that no other operation waits long for the script.
const MOST: usize = 64;
/// Closings that wait for their answer; further ones wait for a place.
const WAITING: usize = 4096;
/// How long a closing that nobody waits for may wait for others. Should the process be killed meanwhile, its row ends as
/// `unknown`, as that of any call under way.
const GATHER: Duration = Duration::from_millis(5);

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
    /// When what waits is to go at the latest; none while nothing does.
    due: Option<Instant>,
    /// Some are on their way.
    busy: bool,
}

impl Closer {
    /// Starts sending from `runtime`, until the last handle is dropped.
    pub(crate) fn start(connection: Arc<Connection>, keys: Keys, runtime: &Handle) -> Self {
        let (sender, queue) = mpsc::channel(MOST);
        runtime.spawn(run(connection, keys, queue));
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
    let (mut waiting, mut open, mut due) = (0, true, None::<Instant>);
    while open || waiting > 0 {
        tokio::select! {
            more = queue.recv_many(&mut came, MOST), if open && waiting < WAITING => {
                open = more > 0;
                waiting += more;
                let now = Instant::now();
                for closing in came.drain(..) {
                    lanes[Shard::of(closing.tenant)].put(closing, now);
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            Some((shard, closed)) = sent.next() => {
                lanes[shard].busy = false;
                waiting -= closed;
            }
        }
        let now = Instant::now();
        due = None;
        for shard in Shard::all() {
            if let Some(batch) = lanes[shard].next(now) {
                sent.push(close(Arc::clone(&door), shard, batch).boxed());
            }
            due = due.into_iter().chain(lanes[shard].due.filter(|_| !lanes[shard].busy)).min();
        }
    }
}

impl Lane {
    fn put(&mut self, closing: Waiting, now: Instant) {
        let wait = if closing.give_back == GiveBack::Nothing { GATHER } else { Duration::ZERO };
        let due = now + wait;
        self.due = Some(self.due.map_or(due, |first| first.min(due)));
        self.waiting.push(closing);
    }

    /// What is to be sent now, if anything.
    fn next(&mut self, now: Instant) -> Option<Vec<Waiting>> {
        let full = self.waiting.len() >= MOST;
        if self.busy || !(full || self.due.is_some_and(|due| due <= now)) {
            return None;
        }
        self.busy = true;
        let rest = self.waiting.split_off(self.waiting.len().min(MOST));
        // The rest has waited: it goes as soon as these have gone.
        self.due = (!rest.is_empty()).then_some(now);
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
    let mut call = Invocation::new(&CLOSE, 1 + batch.len());
    call.arg(keys.stream(shard));
    for waiting in &batch {
        call.arg(keys.reservation(waiting.tenant, waiting.decision));
    }
    for waiting in &batch {
        call.arg(Text(waiting.tenant.uuid().simple())).arg(&waiting.record);
        wanted(&mut call, &waiting.give_back);
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
fn wanted(call: &mut Invocation, give_back: &GiveBack) {
    match give_back {
        GiveBack::Nothing => call.arg("none"),
        GiveBack::All => call.arg("all"),
        GiveBack::Only(charges) => {
            call.arg(charges.iter().fold(" ".to_owned(), |list, charge| list + &charge.to_string() + " "))
        }
    };
}
