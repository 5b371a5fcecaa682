//! Storage on a real Postgres, connected as the application connects.

mod change;
mod directory;
mod fixture;
mod login;
mod migrating;
mod schema;
mod tenancy;
