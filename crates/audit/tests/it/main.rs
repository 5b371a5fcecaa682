//! The log on a real Postgres and Redis, as the application reaches them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod desk;
mod direct;
mod drain;
mod evidence;
mod export;
mod killed;
mod owner;
mod questions;
mod search;
mod statistics;
mod tail;
mod tenancy;
mod upkeep;
mod verify;
