//! The operations on a real Postgres and Redis, connected as the application connects. One file a noun.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod admin_log;
mod approvals;
mod changes;
mod connections;
mod foreign;
mod grants;
mod keys;
mod organisations;
mod policies;
mod protocol;
mod roles;
mod servers;
mod simulations;
mod tokens;
mod world;
