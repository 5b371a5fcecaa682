//! The id of a request, kept so that it can be echoed exactly.

use std::fmt;

/// The id of a JSON-RPC request: a text or a whole number, never null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// A whole number within 64 bits, written without fraction or exponent.
    Number(i64),
    /// Any text, the empty one too.
    Text(String),
}

impl Id {
    /// The id as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }

    /// The id of a JSON value; nothing for a fraction, a number beyond 64 bits, null, a bool or a container.
    pub fn read(value: &crate::json_soon::Value<'_>) -> Option<Self> {
        unimplemented!("{value:?}")
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}
