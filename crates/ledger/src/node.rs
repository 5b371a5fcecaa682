//! One server: its connection, kept up in the background, and asked every second who it is.
//!
//! A server that restarted, changed its role or stopped answering ends its connection even where a proxy hides that
//! it broke. A node of a cluster is also asked who has which slots.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::LedgerError;
use crate::address::{Address, Server, Topology};
use crate::connection::Connection;
use crate::identity::Identity;
use crate::slots::{self, Claims};

/// How often whoever answers is asked again.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// How servers are reached.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) address: Address,
    /// For a connection to stand.
    pub(crate) connect_timeout: Duration,
    /// For an operation.
    pub(crate) timeout: Duration,
}

/// A connection that stands.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) redis: MultiplexedConnection,
    pub(crate) server: Server,
    pub(crate) identity: Identity,
    /// Rung when there is a reason to ask the server before the second is over.
    pub(crate) look: Notify,
}

impl Live {
    /// It did not answer in time: whether it is dead or slow is to be found out, now.
    pub(crate) fn timed_out(&self) -> LedgerError {
        self.look.notify_one();
        LedgerError::Timeout
    }
}

/// Keeps the connection to `server` up, until it is wanted no more or nobody holds the connections.
pub(crate) async fn keep(connection: Weak<Connection>, access: Arc<Access>, server: Server) {
    let mut retry = FIRST_RETRY;
    let mut told = String::new();
    loop {
        if connection.upgrade().is_none_or(|connection| connection.dismiss(&server)) {
            return;
        }
        match access.open(&server).await {
            Ok((redis, identity, claims)) => {
                identity.warn_about_settings();
                let live = Arc::new(Live { redis, server: server.clone(), identity, look: Notify::new() });
                let Some(standing) = connection.upgrade() else { return };
                standing.put(&live, claims);
                drop(standing);
                watch(&connection, &access, &live).await;
                retry = FIRST_RETRY;
                told.clear();
            }
            Err(why) => {
                if told != why {
                    connection.upgrade().inspect(|connection| connection.note(&server, &why));
                    told = why;
                }
                sleep(retry).await;
                retry = (retry * 2).min(LAST_RETRY);
            }
        }
    }
}

/// Returns when the connection is lost, or nobody wants it any more. Holds the connections only while it looks, not
/// while it waits.
async fn watch(connection: &Weak<Connection>, access: &Access, live: &Arc<Live>) {
    loop {
        // Woken or not: look again.
        let _woken = timeout(CHECK_EVERY, live.look.notified()).await;
        let stands = |connection: &Arc<Connection>| connection.stands(live);
        if !connection.upgrade().as_ref().is_some_and(stands) {
            return;
        }
        let mut redis = live.redis.clone();
        let said = timeout(access.timeout, access.ask(&mut redis)).await;
        let Some(connection) = connection.upgrade() else { return };
        match said {
            Ok(Ok((identity, claims))) if identity == live.identity => connection.hear(live, claims),
            Ok(Ok((now, _))) if live.identity.primary && !now.primary => {
                connection.lose(live, "it is a replica");
            }
            Ok(Ok(_)) => connection.lose(live, "it restarted, changed its role or was set up anew"),
            Ok(Err(why)) => connection.lose(live, &why),
            Err(_elapsed) => connection.lose(live, "it does not answer"),
        }
    }
}

impl Access {
    /// Connects to `server`, and asks it. Refuses one that can't be used, in words for the operator.
    async fn open(
        &self,
        server: &Server,
    ) -> Result<(MultiplexedConnection, Identity, Option<Claims>), String> {
        let client = self.address.client(server)?;
        let attempt = async {
            let mut redis = self.connect(&client).await?;
            let (identity, claims) = self.ask(&mut redis).await?;
            match self.address.topology {
                Topology::Cluster if !identity.cluster => {
                    Err("it is no node of a cluster: leave out `+cluster`")
                }
                Topology::Alone | Topology::Sentinel(_) if identity.cluster => {
                    Err("it is a node of a cluster: write its address like redis+cluster://host:6379")
                }
                Topology::Alone | Topology::Sentinel(_) if !identity.primary => Err("it is a replica"),
                _ => Ok((redis, identity, claims)),
            }
            .map_err(str::to_owned)
        };
        let patience = self.connect_timeout + self.timeout;
        timeout(patience, attempt).await.unwrap_or_else(|_| Err("it does not answer".to_owned()))
    }

    /// A connection, on which whoever uses it says how long an answer may take.
    pub(crate) async fn connect(&self, client: &redis::Client) -> Result<MultiplexedConnection, String> {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| explained(&error))
    }

    /// Who it is, and in a cluster, who has which slots.
    async fn ask(&self, redis: &mut MultiplexedConnection) -> Result<(Identity, Option<Claims>), String> {
        let told = |error: RedisError| explained(&error);
        if self.address.topology != Topology::Cluster {
            let info: String = redis::cmd("INFO").query_async(redis).await.map_err(told)?;
            return Ok((Identity::read(&info)?, None));
        }
        let (info, slots, nodes): (String, redis::Value, String) = redis::pipe()
            .cmd("INFO")
            .cmd("CLUSTER")
            .arg("SLOTS")
            .cmd("CLUSTER")
            .arg("NODES")
            .query_async(redis)
            .await
            .map_err(told)?;
        Ok((Identity::read(&info)?, Some(slots::read(&slots, &nodes)?)))
    }
}

/// In words for the operator, who is told which setting a certificate comes from.
fn explained(error: &RedisError) -> String {
    let why = error.to_string();
    if why.contains("CertificateRequired") {
        why + ": it wants a certificate of us: set TOLLGATE_REDIS_CERT and TOLLGATE_REDIS_KEY"
    } else if why.contains("peer certificate") {
        why + ": check TOLLGATE_REDIS_CA, and that its certificate is for the host in REDIS_URL"
    } else {
        why
    }
}
