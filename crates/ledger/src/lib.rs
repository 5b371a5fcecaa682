//! The only door to Redis: the config epoch, the quotas, and the stream of decisions.
//!
//! Every operation is one script and one round trip; closings share them. All keys of a tenant carry one hash tag, so that a script
//! touches one slot and a Redis Cluster can hold them: one connection to each node, one generation for each shard. What the records in the stream mean is `audit`'s business.

mod address;
mod close;
mod closer;
mod config;
mod connection;
mod epoch;
mod error;
mod follow;
mod identity;
mod invocation;
mod keys;
mod ledger;
mod local;
mod node;
mod operation;
mod plan;
mod questions;
mod refusal;
mod scripts;
mod sentinel;
mod settle;
mod shard;
mod slots;
mod stream;
mod tasks;
mod window;

pub use close::{Close, Closed, GiveBack};
pub use config::{LedgerConfig, LedgerTls};
pub use epoch::{COMMIT_WITHIN, Marked};
pub use error::LedgerError;
pub use ledger::Ledger;
pub use refusal::{Appended, Once};
pub use settle::{Charge, Level, RedisTime, Settle, Settled};
pub use shard::Shard;
pub use stream::{Entry, EntryId, EntryKind, LimitMark, Most, Portion};
pub use window::Window;
