//! Strict JSON (RFC 8259) that two parsers can't read differently: what one of them might drop, round or replace is refused.
//!
//! A value borrows the text it was read from and knows its place in it, so the bytes that were judged can be forwarded,
//! and a problem can name its line. Numbers stay text: they are compared as exact decimals, never through `f64`.

mod canonical;
mod decimal;
mod error;
mod number;
mod parser;
mod string;
mod value;

pub use error::{Error, Kind, LineColumn, line_column};
pub use number::{MAX_DIGITS, MAX_EXPONENT, Number, Unpayable};
pub use parser::{MAX_DEPTH, parse, parse_all};
pub use value::{Member, Node, Object, Span, Value};
