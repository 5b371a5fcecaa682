//! The MCP wire as a gateway must read it: envelope, headers, versions, SSE, list filtering.
//!
//! Pure: bytes in, values or bytes out. No I/O, no clock, no sessions, and no policy: who may call what is asked of the
//! caller. What two readers could understand differently is refused before anybody judges it.

pub mod call;
pub mod code;
pub mod definition;
mod draft;
mod edit;
pub mod elicit;
pub mod envelope;
pub mod handle;
pub mod handshake;
pub mod headers;
mod id;
mod links;
pub mod listen;
pub mod lists;
mod malformed;
pub mod methods;
pub mod reply;
pub mod server;
pub mod skim;
pub mod sse;
pub mod state;
pub mod tasks;
pub mod unknown;
mod unreadable;
mod upstream_body;
mod version;

pub use call::ToolCall;
pub use draft::{Asks, Draft, TaskNames};
pub use edit::{Edits, json_text};
pub use envelope::{
    ClientInfo, META_CAPABILITIES, META_CLIENT, META_TRACE, META_VERSION, Message, Notification, Request,
    Response,
};
pub use id::Id;
pub use malformed::Malformed;
pub use methods::{Rule, TaskMethod};
pub use unreadable::Unreadable;
pub use upstream_body::{Outgoing, StateGoing, upstream_body};
pub use version::{Era, SUPPORTED, Version};
