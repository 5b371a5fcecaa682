//! The id of a request, kept so that it can be echoed exactly.

use std::fmt;

use json::Node;

/// The id of a JSON-RPC request: a text or a whole number, never null.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// A whole number within 64 bits, written without fraction or exponent.
    Number(i64),
    /// Any text, the empty one too.
    Text(String),
}

impl Id {
    /// The id of a JSON value; nothing for a fraction, a number beyond 64 bits, null, a bool or a container.
    pub fn read(value: &json::Value<'_>) -> Option<Self> {
        match &value.node {
            // `-0` is a number that not every reader writes back as it was.
            Node::Number(number) if number.text() != "-0" => number.text().parse().ok().map(Self::Number),
            Node::String(text) => Some(Self::Text(text.clone().into_owned())),
            _ => None,
        }
    }

    /// The id as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}
