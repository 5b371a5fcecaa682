//! Reads a text once, from front to back.

use crate::error::Error;
use crate::value::Value;

/// The deepest nesting that any caller may allow: what bounds the stack.
pub const MAX_DEPTH: usize = 128;

/// Reads one value, at most `max_depth` lists and objects deep (and never over [`MAX_DEPTH`]).
pub fn parse(text: &[u8], max_depth: usize) -> Result<Value<'_>, Error> {
    let _ = (text, max_depth);
    unimplemented!()
}

/// As [`parse`], but goes on behind duplicate keys, lone surrogates and numbers out of range, and gives them all back.
/// The value is only fit to look for further problems when there are any.
pub fn parse_all(text: &[u8], max_depth: usize) -> Result<(Value<'_>, Vec<Error>), Error> {
    let _ = (text, max_depth);
    unimplemented!()
}
