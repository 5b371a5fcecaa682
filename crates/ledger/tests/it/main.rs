//! The ledger on a real Redis, through its public face.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cluster;
mod connection;
mod desk;
mod epoch;
mod exact;
mod give_back;
mod model;
mod nodes;
mod outage;
mod quota;
mod runtimes;
mod sentinel;
mod sliding;
mod stream;
mod tls;
mod valkey;
mod windows;
