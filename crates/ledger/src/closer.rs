//! Closings go to Redis together: while some are on their way, those that come meanwhile wait, and go as the next
//! batch. A lone one goes at once; under load one script, and one round trip, serves many.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{DecisionId, TenantId};
use futures_util::future::join_all;
use tokio::sync::{mpsc, oneshot};

use crate::connection::Connection;
use crate::keys::Keys;
use crate::scripts::CLOSE;
use crate::{GiveBack, LedgerError, Shard};

/// Closings that go together, at most: so that no other operation waits long for the script.
const MOST: usize = 64;
/// Closings that wait for their batch; further ones wait for a place.
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

impl Closer {
    /// Starts sending, until the last handle is dropped.
    pub(crate) fn start(connection: Arc<Connection>, keys: Keys) -> Self {
        let (sender, mut queue) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let mut batch: Vec<Waiting> = Vec::with_capacity(MOST);
            while queue.recv_many(&mut batch, MOST).await > 0 {
                let mut shards: BTreeMap<Shard, Vec<Waiting>> = BTreeMap::new();
                for waiting in batch.drain(..) {
                    shards.entry(Shard::of(waiting.tenant)).or_default().push(waiting);
                }
                join_all(shards.into_iter().map(|(shard, batch)| close(&connection, &keys, shard, batch)))
                    .await;
            }
        });
        Self(sender)
    }

    /// Hands one in; waits while too many do.
    pub(crate) async fn send(&self, waiting: Waiting) -> Result<(), LedgerError> {
        self.0.send(waiting).await.map_err(|_| ended())
    }
}

/// The runtime that sent closings is gone.
pub(crate) fn ended() -> LedgerError {
    LedgerError::Away("this process is ending".to_owned())
}

async fn close(connection: &Connection, keys: &Keys, shard: Shard, batch: Vec<Waiting>) {
    let mut call = CLOSE.prepare_invoke();
    call.key(keys.stream(shard));
    for waiting in &batch {
        call.key(keys.reservation(waiting.tenant, waiting.decision))
            .arg(waiting.tenant.uuid().simple().to_string())
            .arg(&waiting.record)
            .arg(wanted(&waiting.give_back));
    }
    let answer: Result<Vec<i64>, _> =
        connection.send(async |link| call.invoke_async(&mut link.redis).await).await;
    let answer = answer
        .and_then(|gave| if gave.len() == batch.len() { Ok(gave) } else { Err(LedgerError::shape("close")) });
    for (at, waiting) in batch.into_iter().enumerate() {
        let told = answer.as_ref().map(|gave| gave[at] == 1).map_err(Clone::clone);
        // Who does not wait any more has nothing to be told.
        let _ = waiting.done.send(told);
    }
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
