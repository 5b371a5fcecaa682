//! The one connection: kept up in the background, watched, and numbered.
//!
//! Every connection has a generation of its own. Redis is asked every second who it is: one that restarted, lost
//! its role or stopped answering ends the generation even where a proxy hides that the connection broke.

use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, RedisError};
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::error::{Trouble, trouble};
use crate::identity::Identity;
use crate::{LedgerConfig, LedgerError};

const CHECK_EVERY: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// The connection that stands now, if one does.
#[derive(Debug)]
pub(crate) struct Connection {
    live: ArcSwapOption<Live>,
    generation: watch::Sender<u64>,
    /// Why none stands.
    reason: ArcSwap<String>,
    /// Rung when an operation saw the connection fail.
    lost: Arc<Notify>,
    timeout: Duration,
}

#[derive(Debug)]
struct Live {
    redis: MultiplexedConnection,
    identity: Identity,
    generation: u64,
}

/// Where an operation is sent to.
pub(crate) struct Link {
    pub(crate) redis: MultiplexedConnection,
    pub(crate) generation: u64,
}

impl Connection {
    /// Starts connecting, until the last handle is dropped.
    pub(crate) fn start(config: &LedgerConfig) -> Result<Arc<Self>, LedgerError> {
        let client = Client::open(config.url.expose().as_str())
            .map_err(|error| LedgerError::Address(error.category().to_owned()))?;
        let connection = Arc::new(Self {
            live: ArcSwapOption::empty(),
            generation: watch::Sender::new(0),
            reason: ArcSwap::from_pointee("not connected yet".to_owned()),
            lost: Arc::default(),
            timeout: config.timeout,
        });
        let keeper = Keeper {
            connection: Arc::downgrade(&connection),
            lost: connection.lost.clone(),
            client,
            timeout: config.timeout,
        };
        tokio::spawn(keeper.run());
        Ok(connection)
    }

    pub(crate) fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Runs one operation over the connection that stands now, within the time one may take.
    pub(crate) async fn send<T: FromRedisValue>(
        &self,
        operation: impl AsyncFnOnce(&mut Link) -> Result<T, RedisError>,
    ) -> Result<T, LedgerError> {
        let Some(live) = self.live.load_full() else {
            return Err(LedgerError::Away(self.reason.load().to_string()));
        };
        let mut link = Link { redis: live.redis.clone(), generation: live.generation };
        let Ok(answer) = timeout(self.timeout, operation(&mut link)).await else {
            // Whether the connection is dead or Redis slow is for the keeper to find out, now.
            self.lost.notify_one();
            return Err(LedgerError::Timeout);
        };
        answer.map_err(|error| match trouble(&error) {
            Trouble::Lost => {
                self.lose(&live, error.to_string());
                LedgerError::Away(error.to_string())
            }
            Trouble::Refused => LedgerError::Away(error.to_string()),
            Trouble::Other => LedgerError::Protocol(error.to_string()),
        })
    }

    /// Takes `live` out of use, unless another has already taken its place.
    fn lose(&self, live: &Arc<Live>, why: String) {
        self.reason.store(Arc::new(why));
        self.live.compare_and_swap(live, None);
        self.lost.notify_one();
    }

    fn put(&self, redis: MultiplexedConnection, identity: Identity) {
        let generation = *self.generation.borrow() + 1;
        // Whoever waits for the number finds the connection. Before it is told, a settle with the old number is stale.
        self.live.store(Some(Arc::new(Live { redis, identity, generation })));
        self.generation.send_replace(generation);
        tracing::info!(generation, "redis is connected");
    }
}

/// The task that keeps a connection up until nobody holds it any more.
struct Keeper {
    connection: Weak<Connection>,
    lost: Arc<Notify>,
    client: Client,
    timeout: Duration,
}

impl Keeper {
    async fn run(self) {
        let mut retry = FIRST_RETRY;
        while self.connection.strong_count() > 0 {
            match self.open().await {
                Ok((redis, identity)) => {
                    let Some(connection) = self.connection.upgrade() else { return };
                    identity.warn_about_settings();
                    connection.put(redis, identity);
                    drop(connection);
                    self.watch().await;
                    retry = FIRST_RETRY;
                }
                Err(why) => {
                    self.note(why);
                    tokio::time::sleep(retry).await;
                    retry = (retry * 2).min(LAST_RETRY);
                }
            }
        }
    }

    async fn open(&self) -> Result<(MultiplexedConnection, Identity), String> {
        let attempt = async {
            let config = redis::AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.timeout))
                .set_response_timeout(None);
            let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
            let mut redis = connected.map_err(|error| error.to_string())?;
            let identity = Identity::ask(&mut redis).await?;
            Ok((redis, identity))
        };
        timeout(self.timeout * 2, attempt).await.unwrap_or_else(|_| Err("it does not answer".to_owned()))
    }

    /// Returns when the connection is lost, or nobody holds it any more. Holds it only while it looks, not while it
    /// waits.
    async fn watch(&self) {
        while let Some(connection) = self.connection.upgrade() {
            let Some(live) = connection.live.load_full() else {
                tracing::warn!(reason = connection.reason.load().as_str(), "redis is away");
                return;
            };
            let mut redis = live.redis.clone();
            match timeout(self.timeout, Identity::ask(&mut redis)).await {
                Ok(Ok(identity)) if identity == live.identity => {}
                Ok(Ok(_)) => connection.lose(&live, "it restarted or was set up anew".to_owned()),
                Ok(Err(why)) => connection.lose(&live, why),
                Err(_elapsed) => connection.lose(&live, "it does not answer".to_owned()),
            }
            drop((connection, live, redis));
            // Woken or not: look again.
            let _woken = timeout(CHECK_EVERY, self.lost.notified()).await;
        }
    }

    /// Says why there is no connection, once for each reason.
    fn note(&self, why: String) {
        let Some(connection) = self.connection.upgrade() else { return };
        if **connection.reason.load() != why {
            tracing::warn!(reason = why, "redis is away");
            connection.reason.store(Arc::new(why));
        }
    }
}
