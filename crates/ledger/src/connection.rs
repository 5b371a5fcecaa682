//! The connections that stand now, to each server that holds keys, and where each shard is.
//!
//! A shard that is put on a connection, or on another one, has a generation of its own from then on: whatever was
//! remembered of its tenants from before must be forgotten, since that server may not know of a change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::address::{Address, Server, Topology};
use crate::error::{Trouble, trouble};
use crate::node::{self, Access, Live};
use crate::operation::Operation;
use crate::plan::Plan;
use crate::sentinel;
use crate::shard::PerShard;
use crate::slots::Claims;
use crate::{LedgerConfig, LedgerError, Shard};

/// All connections.
#[derive(Debug)]
pub(crate) struct Connection {
    routes: ArcSwap<PerShard<Option<Route>>>,
    /// The generation of each shard. Stays when its connection is lost, until there is another.
    since: PerShard<AtomicU64>,
    /// The greatest of them.
    generation: watch::Sender<u64>,
    /// Why none stands.
    reason: ArcSwap<String>,
    plan: Mutex<Plan>,
    pub(crate) access: Arc<Access>,
}

/// Where operations of a shard are sent.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) live: Arc<Live>,
    pub(crate) generation: u64,
}

/// What one operation is sent over.
pub(crate) struct Link {
    pub(crate) redis: MultiplexedConnection,
    pub(crate) generation: u64,
    /// The server does not hold the shard, but is about to: each command needs to say that it knows.
    pub(crate) asking: bool,
}

impl Connection {
    /// Starts connecting, until the last handle is dropped.
    pub(crate) fn start(config: &LedgerConfig) -> Result<Arc<Self>, LedgerError> {
        let address = Address::read(config)?;
        let plan = Mutex::new(Plan::new(&address));
        let (connect_timeout, timeout) = (config.connect_timeout, config.timeout);
        let connection = Arc::new(Self {
            routes: ArcSwap::default(),
            since: PerShard::default(),
            generation: watch::Sender::new(0),
            reason: ArcSwap::from_pointee("not connected yet".to_owned()),
            plan,
            access: Arc::new(Access { address, connect_timeout, timeout, runtimes: config.runtimes.clone() }),
        });
        if let Topology::Sentinel(primary) = &connection.access.address.topology {
            let (weak, access) = (Arc::downgrade(&connection), Arc::clone(&connection.access));
            tokio::spawn(sentinel::follow(weak, access, primary.clone()));
        }
        connection.update(|_| ());
        Ok(connection)
    }

    pub(crate) fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// The generation of a shard.
    pub(crate) fn since(&self, shard: Shard) -> u64 {
        self.since[shard].load(Ordering::Acquire)
    }

    /// Where operations of a shard go now.
    pub(crate) fn route(&self, shard: Shard) -> Option<Route> {
        self.routes.load()[shard].clone()
    }

    /// Runs one operation over the connection that its shard is on, within the time one may take. It is run again
    /// only where a cluster has said that it did nothing, since the shard is elsewhere.
    pub(crate) async fn send<T: FromRedisValue + Send>(
        &self,
        shard: Shard,
        operation: &mut impl Operation,
    ) -> Result<T, LedgerError> {
        let Some(route) = self.route(shard) else { return Err(self.away()) };
        let mut link = Link::to(&route.live, route.generation);
        match timeout(self.access.timeout, operation.run(&mut link)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if matches!(trouble(&error), Trouble::Elsewhere) => {
                Box::pin(self.follow(shard, route, error, operation)).await
            }
            Ok(Err(error)) => Err(self.failed(&route.live, &error)),
            Err(_elapsed) => Err(route.live.timed_out()),
        }
    }

    /// Why there is nothing to send over.
    pub(crate) fn away(&self) -> LedgerError {
        LedgerError::Away(self.reason.load().to_string())
    }

    /// What an error of the client means, and what it says about the connection.
    pub(crate) fn failed(&self, live: &Arc<Live>, error: &RedisError) -> LedgerError {
        match trouble(error) {
            Trouble::Lost => {
                self.lose(live, &error.to_string());
                LedgerError::Away(error.to_string())
            }
            Trouble::Refused | Trouble::Elsewhere => LedgerError::Away(error.to_string()),
            Trouble::Other => LedgerError::Protocol(error.to_string()),
        }
    }

    /// Lets every server be asked who it is and who has what.
    pub(crate) fn look(&self) {
        self.plan().all_standing().for_each(|live| live.look.notify_one());
    }

    /// The connection to a server, if one stands.
    pub(crate) fn standing(&self, server: &Server) -> Option<Arc<Live>> {
        self.plan().standing(server).cloned()
    }

    pub(crate) fn stands(&self, live: &Arc<Live>) -> bool {
        self.plan().stands(live)
    }

    /// Takes `live` out of use, unless another has already taken its place.
    pub(crate) fn lose(&self, live: &Arc<Live>, why: &str) {
        let mut plan = self.plan();
        if plan.lose(live) {
            tracing::warn!(server = %live.server, reason = why, "redis is away");
            self.reason.store(Arc::new(format!("{}: {why}", live.server)));
            self.route_by(&plan);
        }
        drop(plan);
        live.look.notify_one();
    }

    /// Says why there is no connection to a server.
    pub(crate) fn note(&self, server: &Server, why: &str) {
        tracing::warn!(%server, reason = why, "redis is away");
        self.reason.store(Arc::new(format!("{server}: {why}")));
    }

    /// Says why nobody knows where the primary is.
    pub(crate) fn without_primary(&self, why: &str) {
        tracing::warn!(reason = why, "redis is away");
        self.reason.store(Arc::new(why.to_owned()));
    }

    /// A connection stands.
    pub(crate) fn put(self: &Arc<Self>, live: &Arc<Live>, claims: Option<Claims>) {
        tracing::info!(server = %live.server, "redis is connected");
        self.update(|plan| plan.put(live, claims));
    }

    /// A server that stands has said who has what.
    pub(crate) fn hear(self: &Arc<Self>, live: &Arc<Live>, claims: Option<Claims>) {
        if claims.is_some() {
            self.update(|plan| {
                if plan.stands(live) {
                    plan.hear(&live.server, claims);
                }
            });
        }
    }

    /// The sentinels have said where everything is; or that they don't know.
    pub(crate) fn place(self: &Arc<Self>, server: Option<&Server>) {
        self.update(|plan| plan.place(server));
    }

    /// Whether the task of a server is to end.
    pub(crate) fn dismiss(&self, server: &Server) -> bool {
        self.plan().dismiss(server)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(self: &Arc<Self>, change: impl FnOnce(&mut Plan)) {
        let mut plan = self.plan();
        change(&mut plan);
        for live in plan.idle() {
            plan.lose(&live);
            live.look.notify_one();
        }
        self.route_by(&plan);
        for server in plan.unkept() {
            tokio::spawn(node::keep(Arc::downgrade(self), Arc::clone(&self.access), server));
        }
    }

    /// Brings the routes in line with the plan. The plan's lock is held meanwhile.
    fn route_by(&self, plan: &Plan) {
        let before = self.routes.load_full();
        let next = *self.generation.borrow() + 1;
        let stays = |route: &&Route, live: &Arc<Live>| Arc::ptr_eq(&route.live, live);
        let routes = PerShard::from_fn(|shard| {
            let live = plan.route(shard)?;
            let same = before[shard].as_ref().filter(|route| stays(route, live));
            Some(same.cloned().unwrap_or_else(|| Route { live: Arc::clone(live), generation: next }))
        });
        let moved = |shard: &Shard| routes[*shard].as_ref().is_some_and(|route| route.generation == next);
        let moved: Vec<Shard> = Shard::all().filter(moved).collect();
        // Whoever waits for the number finds the route. Before it is told, a settle with the old number is stale.
        self.routes.store(Arc::new(routes));
        if !moved.is_empty() {
            for shard in &moved {
                self.since[*shard].store(next, Ordering::Release);
            }
            self.generation.send_replace(next);
            tracing::info!(generation = next, shards = moved.len(), "redis is in use");
        }
    }
}

impl Link {
    pub(crate) fn to(live: &Live, generation: u64) -> Self {
        Self { redis: live.redis.get().clone(), generation, asking: false }
    }
}
