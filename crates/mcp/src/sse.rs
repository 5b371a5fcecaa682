//! Server-sent events, cut apart without changing a byte.
//!
//! An event keeps the very bytes that carried it, so that a stream which nobody rewrites leaves exactly as it came: ids,
//! retry times, comments, the empty priming event and the kind of line ends. Cutting does not depend on how the stream was
//! chunked. Source: the event stream format of the HTML standard.

mod event;
mod parser;

pub use event::Event;
pub use parser::{Parser, TooLarge};
