//! Why a text was refused, and where.

use std::fmt;

/// What is wrong with the text. The sentence says how to mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Kind {
    /// More bytes than a span can count.
    #[error("the text is too long: send less than 4 GiB")]
    TooLong,
    /// A byte order mark (RFC 8259, 8.1).
    #[error("the text starts with a byte order mark: save it as UTF-8 without one")]
    ByteOrderMark,
    /// Not UTF-8.
    #[error("the text is not UTF-8 here: save it as UTF-8")]
    NotUtf8,
    /// The text stops within a value.
    #[error("the text ends too early: close what is open")]
    UnexpectedEnd,
    /// A character that can't stand here.
    #[error("this character can't stand here: expected {0}")]
    Unexpected(&'static str),
    /// Anything but white space behind the value.
    #[error("there is more text behind the value: remove it")]
    TrailingData,
    /// Nested deeper than the caller allows.
    #[error("nested too deep: flatten it to at most {0} levels")]
    TooDeep(usize),
    /// A key that the same object has already.
    #[error("this key is here twice: remove one of them")]
    DuplicateKey,
    /// Half of a surrogate pair (RFC 8259, 8.2).
    #[error("half of a surrogate pair: write both halves, or the character itself")]
    LoneSurrogate,
    /// A control character that must be escaped.
    #[error("a control character in a string: escape it, as in \\n")]
    ControlCharacter,
    /// Not an escape of JSON.
    #[error("not an escape sequence: use one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX")]
    BadEscape,
    /// A number that not every reader can hold.
    #[error(
        "this number is out of range: use at most 64 digits, an exponent within 308, and a 64-bit float's size"
    )]
    NumberRange,
}

/// A refusal: what, at which byte, in which value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: Kind,
    /// Bytes from the start of the text.
    pub offset: usize,
    /// JSON Pointer (RFC 6901) of the value that was being read.
    pub pointer: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        write!(f, " (byte {}", self.offset)?;
        if !self.pointer.is_empty() {
            write!(f, ", at {}", self.pointer)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for Error {}

/// A place as an editor shows it. Both count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineColumn {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

/// The line and column of a byte of `text`. Works on any bytes: a byte that continues a character counts as part of it.
pub fn line_column(text: &[u8], offset: usize) -> LineColumn {
    let before = &text[..offset.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let lines = before[..line_start].split_inclusive(|byte| *byte == b'\n').count();
    let characters = before[line_start..].iter().filter(|byte| (**byte & 0xc0) != 0x80).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_add(1);
    LineColumn { line: count(lines), column: count(characters) }
}
