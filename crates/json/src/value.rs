//! A value, borrowed from its text.

use std::borrow::Cow;

use crate::number::Number;

/// Where a value stands in the text, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte behind the last.
    pub end: u32,
}

/// A JSON value and its place.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// What it is.
    pub node: Node<'a>,
    /// Where it stands, quotes and brackets included.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Node<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as text.
    Number(Number<'a>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// A list.
    Array(Vec<Value<'a>>),
    /// An object: keys are unique.
    Object(Object<'a>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// Where the key stands, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Value<'a>,
}

/// Members in the order of the text.
#[derive(Debug, Clone, Default)]
pub struct Object<'a> {
    pub(crate) members: Vec<Member<'a>>,
}

impl Span {
    /// The bytes of this place in the text that the value was read from; empty for another text that is too short.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl<'a> Object<'a> {
    /// In the order of the text.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        let _ = key;
        unimplemented!()
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

impl<'a> Value<'a> {
    /// The value of a key, where this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }

    /// The value at a JSON Pointer (RFC 6901).
    pub fn pointer(&self, pointer: &str) -> Option<&Value<'a>> {
        let _ = pointer;
        unimplemented!()
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.node, Node::Null)
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        if let Node::Bool(truth) = self.node { Some(truth) } else { None }
    }

    /// The number.
    pub fn as_number(&self) -> Option<&Number<'a>> {
        if let Node::Number(number) = &self.node { Some(number) } else { None }
    }

    /// The string, unescaped.
    pub fn as_str(&self) -> Option<&str> {
        if let Node::String(text) = &self.node { Some(text) } else { None }
    }

    /// The elements.
    pub fn as_array(&self) -> Option<&[Value<'a>]> {
        if let Node::Array(elements) = &self.node { Some(elements) } else { None }
    }

    /// The object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        if let Node::Object(object) = &self.node { Some(object) } else { None }
    }

    /// Deep and typed equality: `1` equals `1.0`, and neither `"1"` nor `true`; the order of keys is no matter.
    pub fn equals(&self, other: &Value<'_>) -> bool {
        let _ = other;
        unimplemented!()
    }

    /// The same value with a text of its own.
    pub fn into_owned(self) -> Value<'static> {
        unimplemented!()
    }
}
