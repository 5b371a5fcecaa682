//! Storage on a real Postgres, connected as the application connects.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod change;
mod connections;
mod directory;
mod fixture;
mod login;
mod migrating;
mod schema;
mod tenancy;
mod tls;
