//! A stdio MCP server as Streamable HTTP, in both eras of the protocol.
//!
//! A session of the older revisions has a process of its own, and streams that can be resumed; requests of 2026-07-28, which
//! depend on no connection, share one, their ids rewritten so that they don't meet. What the server says passes as it is;
//! where a server of the older revisions answers a client of the newer, the difference is translated (what it asks in the
//! midst of a call becomes a round of it), and what can't be is refused.

mod board;
mod child;
mod door;
mod governor;
mod http;
mod offer;
mod refusal;
mod reply;
mod rounds;
mod sessions;
mod settings;
mod shared;
mod stateless;
mod streams;
mod translate;

pub use http::{Bridge, router};
pub use settings::{Settings, generated_token};
