//! A stdio MCP server as Streamable HTTP, in both eras of the protocol.
//!
//! A session of the older revisions has a process of its own; requests of 2026-07-28, which depend on no connection, share
//! one, their ids rewritten so that they don't meet. What the server says passes as it is; where a server of the older
//! revisions answers a client of the newer, the difference is translated, and what can't be is refused.

mod board;
mod child;
mod door;
mod governor;
mod http;
mod refusal;
mod reply;
mod sessions;
mod settings;
mod shared;
mod translate;

pub use http::{Bridge, router};
pub use settings::{Settings, generated_token};
