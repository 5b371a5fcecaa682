//! The only door to Postgres for the control plane: the pool, the two kinds of transaction, one function a statement.
//!
//! Nobody reads or writes a tenant's rows but through a [`TenantTx`], which sees that tenant alone, or a [`SystemTx`],
//! which sees what logging in, the gateway's directory and the workers need. Row level security holds both to it.

pub mod directory;
mod error;
mod migrate;
mod transaction;

pub use error::{Constraint, Error};
pub use migrate::{MigrateError, fingerprint, migrate};
pub use transaction::{ChangeTx, Storage, StorageConfig, SystemTx, TenantTx};
