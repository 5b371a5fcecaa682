//! The pages through their router, with a real database, Redis and upstream. Files mirror the addresses.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod account;
mod approvals;
mod docs;
mod editor;
mod grants;
mod keys;
mod links;
mod log;
mod log_in;
mod organisation;
mod patience;
mod policies;
mod security;
mod servers;
mod signup;
mod simulations;
mod world;
