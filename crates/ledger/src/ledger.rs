//! The handle that everybody holds, and how an operation is sent.

use std::sync::Arc;

use domain::Clock;
use redis::{FromRedisValue, RedisError};
use tokio::sync::watch;

use crate::closer::Closer;
use crate::connection::{Connection, Link};
use crate::keys::Keys;
use crate::{LedgerConfig, LedgerError};

/// Redis, as far as Tollgate needs it. Cheap to clone; clones share one connection, over which small operations
/// follow each other without waiting. A drain, which reads large batches, is better given a ledger of its own.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    connection: Arc<Connection>,
    closer: Closer,
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
        let closer = Closer::start(Arc::clone(&connection), keys.clone());
        let (stream_max, clock) = (config.stream_max, config.clock);
        Ok(Self { inner: Arc::new(Inner { connection, closer, keys, stream_max, clock }) })
    }

    /// Raised with every connection, and when a Redis is seen to be another one or restarted: whatever was
    /// remembered from before must be forgotten, since that Redis may not know of a change. 0 until the first.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.inner.connection.generation()
    }

    /// Whether Redis answers now.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        self.send(async |link| redis::cmd("PING").query_async::<()>(&mut link.redis).await).await
    }

    pub(crate) fn closer(&self) -> &Closer {
        &self.inner.closer
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

    /// Runs one operation over the connection that stands now, within the time one may take.
    pub(crate) async fn send<T: FromRedisValue>(
        &self,
        operation: impl AsyncFnOnce(&mut Link) -> Result<T, RedisError>,
    ) -> Result<T, LedgerError> {
        self.inner.connection.send(operation).await
    }
}
