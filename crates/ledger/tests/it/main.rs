//! The ledger on a real Redis, through its public face.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod connection;
mod desk;
mod epoch;
mod give_back;
mod model;
mod outage;
mod quota;
mod sliding;
mod stream;
mod windows;
