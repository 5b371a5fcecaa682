//! The client against real sockets: what it refuses, what it sends, and when it gives up.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod limits;
mod refusals;
mod server;
mod streams;
mod wire;
