//! Development only: private Postgres and Redis, scripted upstreams, outages, the architecture test.

mod database;
mod redis;
pub mod upstream;
mod wire;

use anyhow::{Context, Result};

pub use database::{TestDb, database};
pub use redis::{TestRedis, connected, redis};
pub use wire::Wire;

/// Where a service is, as `scripts/services` tells it.
#[expect(clippy::disallowed_methods, reason = "tests find their services by the environment")]
pub(crate) fn environment(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set: run the tests with `make test`"))
}
