//! The handle that everybody holds, and how an operation is sent.

use std::sync::Arc;

use domain::{Clock, TenantId};
use futures_util::future::join_all;
use redis::FromRedisValue;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::closer::Closer;
use crate::connection::Connection;
use crate::keys::Keys;
use crate::local::Local;
use crate::node::Live;
use crate::operation::Operation;
use crate::{LedgerConfig, LedgerError, Shard};

/// Redis, as far as Tollgate needs it. Cheap to clone; clones share their connections to each server (one,
/// and one for each of [`LedgerConfig::runtimes`]), over which small operations follow each other without waiting. A drain, which reads large batches, is better given a ledger of its own.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Arc<Connection>,
    closer: Local<Closer>,
    keys: Keys,
    stream_max: u64,
    clock: Clock,
}

impl Ledger {
    /// Reads the address and starts connecting in the background, for as long as a clone lives: operations answer
    /// `Away` until a connection stands. Fails only on an address or namespace that can't be used. Needs a tokio runtime.
    pub fn connect(config: LedgerConfig) -> Result<Self, LedgerError> {
        let keys = Keys::new(&config.namespace)?;
        let connection = Connection::start(&config)?;
        let close_on = |runtime: &Handle| Closer::start(Arc::clone(&connection), keys.clone(), runtime);
        let own = config.runtimes.iter().map(|runtime| (runtime.id(), close_on(runtime))).collect();
        let closer = Local::new(close_on(&Handle::current()), own);
        let (stream_max, clock) = (config.stream_max, config.clock);
        Ok(Self { inner: Arc::new(Inner { connection, closer, keys, stream_max, clock }) })
    }

    /// Raised with every connection that comes into use, for some shards or all: when a Redis is found again, is seen
    /// to be another one, or a shard has moved. 0 until the first. See [`Ledger::since`].
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.inner.connection.generation()
    }

    /// The generation of a tenant's shard: whatever of the tenant was remembered when [`Ledger::generation`] was less
    /// must be forgotten, since the Redis that now holds it may not know of a change.
    pub fn since(&self, tenant: TenantId) -> u64 {
        self.inner.connection.since(Shard::of(tenant))
    }

    /// Whether every Redis that is connected answers now, and there is one.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        let nodes = self.by_node(Shard::all());
        if nodes.is_empty() {
            return Err(self.inner.connection.away());
        }
        let ping = redis::cmd("PING");
        let asked = nodes.iter().map(|shards| self.send::<()>(shards[0], &ping));
        join_all(asked).await.into_iter().collect()
    }

    /// Of the 64 shards, those that no connection leads to now.
    pub fn out_of_reach(&self) -> Vec<Shard> {
        Shard::all().filter(|shard| self.inner.connection.route(*shard).is_none()).collect()
    }

    /// Those shards that a connection leads to, by the connection.
    pub(crate) fn by_node(&self, shards: impl Iterator<Item = Shard>) -> Vec<Vec<Shard>> {
        let mut nodes: Vec<(Arc<Live>, Vec<Shard>)> = Vec::new();
        for shard in shards {
            let Some(route) = self.inner.connection.route(shard) else { continue };
            match nodes.iter_mut().find(|(live, _)| Arc::ptr_eq(live, &route.live)) {
                Some((_, shards)) => shards.push(shard),
                None => nodes.push((route.live, vec![shard])),
            }
        }
        nodes.into_iter().map(|(_, shards)| shards).collect()
    }

    pub(crate) fn closer(&self) -> &Closer {
        self.inner.closer.get()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    pub(crate) fn stream_max(&self) -> u64 {
        self.inner.stream_max
    }

    /// What the scripts are told of the time: nothing, so that they ask Redis, unless a test holds the clock.
    pub(crate) fn given_time(&self) -> String {
        match &self.inner.clock {
            Clock::System => String::new(),
            Clock::Manual(micros) => micros.load(std::sync::atomic::Ordering::SeqCst).to_string(),
        }
    }

    /// Runs one operation over the connection that the shard is on, within the time one may take.
    pub(crate) async fn send<T: FromRedisValue + Send>(
        &self,
        shard: Shard,
        mut operation: impl Operation,
    ) -> Result<T, LedgerError> {
        self.inner.connection.send(shard, &mut operation).await
    }
}
