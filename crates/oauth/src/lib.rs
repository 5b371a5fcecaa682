//! OAuth 2.1 as a client of upstream servers, as the MCP authorization specification asks for it: who issues a server's
//! tokens, how this installation is registered there, sending a person there and taking the answer, and keeping a
//! connection's tokens fresh.
//!
//! Everything goes out through `egress`: addresses that a server or its metadata names are called under the same guard
//! as those that a tenant typed. Who may connect what is decided elsewhere.

mod answer;
mod authorize;
mod challenge;
mod client;
mod code;
mod discover;
mod document;
mod error;
mod keeper;
mod kept;
mod notes;
mod registration;
mod resource;
mod revoke;
mod scope;
mod server;
mod token;

pub use answer::Answer;
pub use authorize::{Authorization, Pending};
pub use challenge::Challenge;
pub use client::{Client, ClientAuth};
pub use code::Code;
pub use discover::{Discovery, discover, probe};
pub use error::Error;
pub use keeper::{Keeper, RenewError};
pub use kept::Token;
pub use registration::{Installation, register};
pub use resource::covers;
pub use revoke::Revocation;
pub use scope::Scopes;
pub use server::AuthorizationServer;
pub use token::{Desk, Granted, ask_as_client, redeem};
