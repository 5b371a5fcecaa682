//! The demo upstream: Flowforge's 49 tools over a workflow engine in memory, spoken to by MCP in both protocol eras.
//!
//! A tool call becomes a request of the engine's internal REST interface, as on the real server, with its weakness: ids
//! are put into the path unescaped. `/__log` tells what arrived, so that a test can prove what did not. Data and times
//! are the same at every start.

mod catalogue;
mod engine;
mod log;
mod mcp;
mod requests;
mod server;

pub use engine::Engine;
pub use server::{Options, router};
