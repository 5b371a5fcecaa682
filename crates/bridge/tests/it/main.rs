//! The bridge on a real socket, in front of real processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ends;
mod resumption;
mod rounds;
mod sessions;
mod shared;
mod world;
