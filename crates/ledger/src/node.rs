//! One server: its connections, kept up in the background, and asked every second who it is.
//!
//! A server that restarted, changed its role or stopped answering ends its connection even where a proxy hides that
//! it broke. A node of a cluster is also asked who has which slots.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::{try_join, try_join_all};
use redis::RedisError;
use redis::aio::MultiplexedConnection;
use tokio::runtime::{Handle, Id};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use crate::LedgerError;
use crate::address::{Address, Server, Topology};
use crate::connection::Connection;
use crate::identity::Identity;
use crate::local::Local;
use crate::slots::{self, Claims};

/// How often whoever answers is asked again.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// What was connected to, and what it said.
type Opened = (Local<MultiplexedConnection>, Identity, Option<Claims>);

/// How servers are reached.
#[derive(Debug)]
pub(crate) struct Access {
    pub(crate) address: Address,
    /// For a connection to stand.
    pub(crate) connect_timeout: Duration,
    /// For an operation.
    pub(crate) timeout: Duration,
    /// Each has a connection of its own.
    pub(crate) runtimes: Vec<Handle>,
}

/// Connections that stand, to one server. They stand and fall together.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) redis: Local<MultiplexedConnection>,
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
        let said = timeout(access.timeout, access.ask_all(&live.redis)).await;
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
    async fn open(self: &Arc<Self>, server: &Server) -> Result<Opened, String> {
        let client = self.address.client(server)?;
        let attempt = async {
            let shared = self.connect(&client).await?;
            let own =
                try_join_all(self.runtimes.iter().map(|runtime| self.connect_on(runtime, &client))).await?;
            let redis = Local::new(shared, own);
            let (identity, claims) = self.ask_all(&redis).await?;
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

    /// A connection that is driven by that runtime.
    async fn connect_on(
        self: &Arc<Self>,
        runtime: &Handle,
        client: &redis::Client,
    ) -> Result<(Id, MultiplexedConnection), String> {
        let (access, client) = (Arc::clone(self), client.clone());
        let connecting = runtime.spawn(async move { access.connect(&client).await });
        let redis = connecting.await.map_err(|_| "this process is ending".to_owned())??;
        Ok((runtime.id(), redis))
    }

    /// A connection, on which whoever uses it says how long an answer may take.
    pub(crate) async fn connect(&self, client: &redis::Client) -> Result<MultiplexedConnection, String> {
        let config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_timeout))
            .set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&config).await.map_err(|error| explained(&error))
    }

    /// As [`Access::ask`], of the server that all these connections must lead to.
    async fn ask_all(
        &self,
        redis: &Local<MultiplexedConnection>,
    ) -> Result<(Identity, Option<Claims>), String> {
        let own = redis.own().map(async |redis| self.identify(&mut redis.clone()).await);
        let mut shared = redis.shared().clone();
        let (said, own) = try_join(self.ask(&mut shared), try_join_all(own)).await?;
        if own.iter().all(|identity| *identity == said.0) {
            Ok(said)
        } else {
            Err("its connections lead to different servers".to_owned())
        }
    }

    async fn identify(&self, redis: &mut MultiplexedConnection) -> Result<Identity, String> {
        let info: String = redis::cmd("INFO").query_async(redis).await.map_err(|error| explained(&error))?;
        Identity::read(&info)
    }

    /// Who it is, and in a cluster, who has which slots.
    async fn ask(&self, redis: &mut MultiplexedConnection) -> Result<(Identity, Option<Claims>), String> {
        let told = |error: RedisError| explained(&error);
        if self.address.topology != Topology::Cluster {
            return Ok((self.identify(redis).await?, None));
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
