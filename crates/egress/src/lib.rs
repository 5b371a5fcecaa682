//! The only door to upstream servers: a pooled client that connects to public addresses alone, follows no redirect,
//! reads no proxy from the environment, keeps no cookie and decompresses nothing. Streams over plain HTTP have a connection each.
//!
//! What is sent and whether it may be sent is decided elsewhere; here is where a tenant's address can't lead inside.

mod body;
mod client;
mod connect;
mod counted;
mod error;
mod guard;
#[cfg(test)]
mod rebinding;
mod stream;

pub use body::Body;
pub use client::{Client, EgressConfig};
pub use error::{EgressError, Phase};
pub use guard::is_public;
