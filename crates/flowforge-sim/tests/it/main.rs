//! The demo upstream over a real socket, with the SDK's client and with plain HTTP.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod door;
mod pivots;
mod protocol;
mod support;
mod workflows;
