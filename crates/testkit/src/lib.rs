//! Development only: private Postgres and Redis, clusters of it, scripted upstreams, outages, stores to kill, forwarders, calls
//! that wait for a person, whole installations, the architecture test.

mod api;
mod balancer;
mod certificates;
mod collector;
mod database;
mod forwarder;
mod installation;
mod postgres_server;
mod question;
mod redis;
mod redis_cluster;
mod redis_server;
mod stores;
pub mod upstream;
mod wire;

use anyhow::{Context, Result};

pub use api::{Api, Grant, PASSWORD};
pub use balancer::Balancer;
pub use certificates::{Authority, Identity};
pub use collector::{Collector, attribute};
pub use database::{TestDb, database};
pub use forwarder::Forwarder;
pub use installation::{Installation, PATIENCE, Process, eventually, free_address};
pub use postgres_server::PostgresServer;
pub use question::Question;
pub use redis::{TestRedis, connected, introduce, redis};
pub use redis_cluster::{RedisCluster, RedisSentinels};
pub use redis_server::{Program, RedisServer};
pub use stores::{Keeps, Store};
pub use wire::Wire;

/// Where a service is, as `scripts/services` tells it.
#[expect(clippy::disallowed_methods, reason = "tests find their services by the environment")]
pub fn environment(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run the tests with `make test`"))
}
