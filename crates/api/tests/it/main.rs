//! The API through its router, over the real Postgres and Redis. Files mirror the addresses.
//!
//! Every answer in every test is held against the OpenAPI document: its status must be listed there, and its body must
//! have the form that is published for it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod admin_log;
mod approvals;
mod conformity;
mod decisions;
mod document;
mod grants;
mod keys;
mod organisations;
mod patience;
mod policies;
mod refusals;
mod servers;
mod simulations;
mod tenancy;
mod tokens;
mod world;

use world::{Answer, Api, Organisation, shown};
