//! The gateway on real sockets, before scripted upstreams, on a private Postgres and Redis.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod forwarding;
mod refusals;
mod world;
