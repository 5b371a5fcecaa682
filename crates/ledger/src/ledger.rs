//! The handle that everybody holds.

use std::sync::Arc;

use tokio::sync::watch;

use crate::{LedgerConfig, LedgerError};

/// Redis, as far as Tollgate needs it. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    generation: watch::Sender<u64>,
}

impl Ledger {
    /// Reads the address and starts connecting in the background, for as long as a clone lives: operations answer
    /// `Away` until a connection stands. Fails only on an address that can't be used. Needs a tokio runtime.
    pub fn connect(config: LedgerConfig) -> Result<Self, LedgerError> {
        let _ = config;
        Ok(Self { inner: Arc::new(Inner { generation: watch::Sender::new(0) }) })
    }

    /// Raised with every connection, and when a Redis is seen to be another one or restarted: whatever was
    /// remembered from before must be forgotten, since that Redis may not know of a change. 0 until the first.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.inner.generation.subscribe()
    }

    /// Whether Redis answers now.
    pub async fn ping(&self) -> Result<(), LedgerError> {
        unimplemented!()
    }
}
