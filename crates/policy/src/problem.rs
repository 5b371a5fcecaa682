//! What is wrong with a document, or odd about it.

use serde::Serialize;

/// A problem (the document is refused) or a warning (it is saved all the same).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the document as written.
    pub pointer: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// One stable word, as `unknown_field`.
    pub code: &'static str,
    /// A sentence that says how to mend it.
    pub message: String,
}

/// What is known of a tool of the server, to warn about a document.
#[derive(Debug, Clone, Copy)]
pub struct ToolFacts<'a> {
    /// The exact name.
    pub name: &'a str,
    /// Whether it destroys.
    pub destructive: bool,
    /// Whether it approves what waits for a human.
    pub approval: bool,
}
