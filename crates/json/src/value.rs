//! A value, borrowed from the text it was read from.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::number::Number;

/// Objects of more members than this are found their keys by halving.
pub(crate) const SMALL: usize = 8;

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
    members: Vec<Member<'a>>,
    /// Indices of the members by key, for objects of more than [`SMALL`] members; empty otherwise.
    by_key: Box<[u32]>,
}

impl Span {
    /// The bytes of this place in the text that the value was read from; empty where the text has no such place.
    pub fn of(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl<'a> Object<'a> {
    /// Takes members in the order of the text, and hands each one whose key stood before to `duplicate`.
    pub(crate) fn new(members: Vec<Member<'a>>, mut duplicate: impl FnMut(&Member<'a>)) -> Self {
        if members.len() <= SMALL {
            for (i, member) in members.iter().enumerate() {
                if members[..i].iter().any(|earlier| earlier.key == member.key) {
                    duplicate(member);
                }
            }
            return Self { members, by_key: Box::default() };
        }
        // Spans count in 32 bits, so indices fit.
        let mut by_key: Vec<u32> = (0_u32..).take(members.len()).collect();
        let key = |index: &u32| members[*index as usize].key.as_ref();
        // Stable: of equal keys, the earlier one stays in front.
        by_key.sort_by(|a, b| key(a).cmp(key(b)));
        for pair in by_key.windows(2) {
            if key(&pair[0]) == key(&pair[1]) {
                duplicate(&members[pair[1] as usize]);
            }
        }
        Self { by_key: by_key.into_boxed_slice(), members }
    }

    /// In the order of the text.
    pub fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// In the order of the text, to be taken apart.
    pub fn into_members(self) -> Vec<Member<'a>> {
        self.members
    }

    /// The member of a key.
    pub fn member(&self, key: &str) -> Option<&Member<'a>> {
        if self.by_key.is_empty() {
            return self.members.iter().find(|member| member.key == key);
        }
        let found = self.by_key.binary_search_by(|index| self.members[*index as usize].key.as_ref().cmp(key));
        found.ok().map(|place| &self.members[self.by_key[place] as usize])
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.member(key).map(|member| &member.value)
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members sorted by key, without allocating.
    pub(crate) fn sorted(&self) -> impl Iterator<Item = &Member<'a>> {
        let mut small: [u32; SMALL] = [0, 1, 2, 3, 4, 5, 6, 7];
        let count = if self.by_key.is_empty() { self.members.len() } else { 0 };
        small[..count].sort_unstable_by_key(|index| self.members[*index as usize].key.as_ref());
        let indices = small.into_iter().take(count).chain(self.by_key.iter().copied());
        indices.map(|index| &self.members[index as usize])
    }

    /// By number of members, then key by key, then value by value.
    fn compare(&self, other: &Object<'_>) -> Ordering {
        self.len().cmp(&other.len()).then_with(|| {
            let pairs = self.sorted().zip(other.sorted());
            first_difference(pairs.map(|(a, b)| a.key.cmp(&b.key).then_with(|| a.value.compare(&b.value))))
        })
    }

    fn into_owned(self) -> Object<'static> {
        let own = |member: Member<'_>| Member {
            key: Cow::Owned(member.key.into_owned()),
            key_span: member.key_span,
            value: member.value.into_owned(),
        };
        Object { members: self.members.into_iter().map(own).collect(), by_key: self.by_key }
    }
}

impl<'a> Value<'a> {
    /// A string that stands in no text.
    pub fn string(text: &'a str) -> Self {
        Self { node: Node::String(Cow::Borrowed(text)), span: Span::default() }
    }

    /// `{}`, standing in no text.
    pub fn object() -> Self {
        Self { node: Node::Object(Object::default()), span: Span::default() }
    }

    /// The value of a key, where this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_object()?.get(key)
    }

    /// The value at a JSON Pointer (RFC 6901). The empty pointer is the value itself.
    pub fn pointer(&self, pointer: &str) -> Option<&Value<'a>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |value, token| match &value.node {
            Node::Object(object) => object.get(&token.replace("~1", "/").replace("~0", "~")),
            Node::Array(elements) => {
                let canonical = token == "0" || !token.starts_with(['0', '+']);
                elements.get(token.parse::<usize>().ok().filter(|_| canonical)?)
            }
            _ => None,
        })
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
        self.compare(other) == Ordering::Equal
    }

    /// A total order, so that values can be sorted and searched: by type, then as the type orders, deep.
    pub fn compare(&self, other: &Value<'_>) -> Ordering {
        match (&self.node, &other.node) {
            (Node::Bool(a), Node::Bool(b)) => a.cmp(b),
            (Node::Number(a), Node::Number(b)) => a.compare(b),
            (Node::String(a), Node::String(b)) => a.as_ref().cmp(b.as_ref()),
            (Node::Array(a), Node::Array(b)) => a
                .len()
                .cmp(&b.len())
                .then_with(|| first_difference(a.iter().zip(b).map(|(a, b)| a.compare(b)))),
            (Node::Object(a), Node::Object(b)) => a.compare(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    /// The same value with a text of its own.
    pub fn into_owned(self) -> Value<'static> {
        let node = match self.node {
            Node::Null => Node::Null,
            Node::Bool(truth) => Node::Bool(truth),
            Node::Number(number) => Node::Number(number.into_owned()),
            Node::String(text) => Node::String(Cow::Owned(text.into_owned())),
            Node::Array(elements) => Node::Array(elements.into_iter().map(Value::into_owned).collect()),
            Node::Object(object) => Node::Object(object.into_owned()),
        };
        Value { node, span: self.span }
    }
}

impl Node<'_> {
    /// The place of the type in the order of values.
    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Number(_) => 2,
            Self::String(_) => 3,
            Self::Array(_) => 4,
            Self::Object(_) => 5,
        }
    }
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| *order != Ordering::Equal).unwrap_or(Ordering::Equal)
}
