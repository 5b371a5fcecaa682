//! A message, read while it comes: is it plainly the result of a request? What a tool returns may be of any size and odd in itself,
//! and passes unread; but a request, an error, or what two readers could take for one does not. Of a result, its own members
//! are looked at for what it says of itself; what is in them is not.

mod member;

use memchr::memchr2;

use self::member::{LONGEST, Member, Told};
use crate::Id;

/// What a message is, by what has come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nothing that tells.
    Nothing,
    /// A result, and nothing beside it.
    Result,
    /// Anything else: to be read as a whole.
    Doubt,
}

/// Reads a message, however it is cut into pieces.
#[derive(Debug, Clone)]
pub struct Skim {
    seen: Seen,
    depth: u32,
    ended: bool,
    text: Option<Text>,
    /// The next text here is a key.
    wants_key: bool,
    /// How deep keys are looked at: those of the message, or of the result in it as well.
    keys_to: u32,
    /// Those of the top level and of the result that were there and may be once.
    had: Vec<Member>,
    /// The member whose value comes, and as much of it as is looked at.
    value: Option<(Member, Vec<u8>)>,
    is_error: bool,
    /// It is to be the end of this modern call.
    call: Option<Id>,
}

/// A text that has begun.
#[derive(Debug, Clone)]
struct Text {
    /// It is a key that is looked at; so far.
    key: Option<Vec<u8>>,
    /// An escape has begun.
    escaped: bool,
    /// Not every reader reads it alike.
    odd: bool,
}

impl Default for Skim {
    fn default() -> Self {
        Self {
            seen: Seen::Nothing,
            depth: 0,
            ended: false,
            text: None,
            wants_key: false,
            keys_to: 1,
            had: Vec::new(),
            value: None,
            is_error: false,
            call: None,
        }
    }
}

/// Whether a whole message is plainly a result, whatever is in it.
pub fn is_result(body: &[u8]) -> bool {
    let mut skim = Skim::default();
    skim.push(body) == Seen::Result && skim.ended
}

impl Skim {
    /// Looks for the end of a call of the modern era: a result that says it is complete, or has what no other has. One that asks for
    /// input, is a task, or answers something else is in doubt.
    pub fn of_call(id: Id) -> Self {
        Self { call: Some(id), ..Self::default() }
    }

    /// Takes what came next. Doubt stays.
    pub fn push(&mut self, mut piece: &[u8]) -> Seen {
        while let (Some((&byte, rest)), true) = (piece.split_first(), self.seen != Seen::Doubt) {
            piece = if self.text.is_some() { self.text(piece) } else { self.mark(byte, rest) };
        }
        self.seen
    }

    /// Whether it has come to its end.
    pub fn is_whole(&self) -> bool {
        self.ended && self.seen != Seen::Doubt
    }

    /// Whether the result says `isError: true`.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// Goes on in a text; what is behind it, or behind the part of it that was looked at.
    fn text<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let Some(text) = &mut self.text else { return piece };
        if std::mem::take(&mut text.escaped) {
            let (escape, rest) = piece.split_at(1);
            self.keep(escape);
            return rest;
        }
        let plain = memchr2(b'"', b'\\', piece).unwrap_or(piece.len());
        if let Some(key) = &mut text.key {
            key.extend_from_slice(&piece[..plain.min(LONGEST + 1 - key.len().min(LONGEST + 1))]);
            text.odd |= piece.get(plain) == Some(&b'\\');
        }
        match piece.get(plain) {
            Some(b'\\') => text.escaped = true,
            Some(_) => {
                let ended = self.text.take();
                if let Some(Text { key: Some(key), odd, .. }) = ended {
                    self.key(&key, odd);
                    return piece.get(plain + 1..).unwrap_or_default();
                }
            }
            None => {}
        }
        let (read, rest) = piece.split_at((plain + 1).min(piece.len()));
        self.keep(read);
        rest
    }

    /// A key of the top level, or of the result.
    fn key(&mut self, key: &[u8], odd: bool) {
        let told = match (self.depth, &self.call) {
            (1, _) if odd => Told::Doubt,
            (1, _) => Told::of_message(key),
            (_, None) if odd => Told::Nothing,
            (_, None) => Told::of_result(key),
            (_, Some(_)) if odd => Told::Doubt,
            (_, Some(_)) => Told::of_call(key),
        };
        match told {
            Told::Nothing => {}
            Told::Doubt => self.seen = Seen::Doubt,
            Told::Ends => self.seen = Seen::Result,
            Told::Member(member)
                if self.had.contains(&member) && (self.depth == 1 || self.call.is_some()) =>
            {
                self.seen = Seen::Doubt;
            }
            Told::Member(member) => {
                if !self.had.contains(&member) {
                    self.had.push(member);
                }
                self.value = Some((member, Vec::new()));
                if member == Member::Result && self.call.is_none() {
                    self.seen = Seen::Result;
                }
            }
        }
    }

    /// One byte outside of texts.
    fn mark<'a>(&mut self, byte: u8, rest: &'a [u8]) -> &'a [u8] {
        let here = (1..=self.keys_to).contains(&self.depth);
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' if self.depth == 0 && !self.ended => (self.depth, self.wants_key) = (1, true),
            _ if self.depth == 0 => self.seen = Seen::Doubt,
            b'"' => {
                let is_key = here && std::mem::take(&mut self.wants_key);
                self.text = Some(Text { key: is_key.then(Vec::new), escaped: false, odd: false });
                self.keep(b"\"");
            }
            b'}' | b']' => {
                if here {
                    self.ends();
                    self.wants_key = false;
                }
                self.depth -= 1;
                self.ended = self.depth == 0;
                self.keys_to = if self.depth > 1 { self.keys_to } else { 1 };
            }
            b',' if here => {
                self.ends();
                self.wants_key = true;
            }
            // A key is a text. What a tool returns is its own affair, unless it is held to more.
            _ if here && self.wants_key && (self.depth == 1 || self.call.is_some()) => {
                self.seen = Seen::Doubt;
            }
            b'{' | b'[' => {
                self.begins(byte);
                self.depth = self.depth.saturating_add(1);
            }
            b':' => {}
            _ => self.keep(&[byte]),
        }
        rest
    }

    /// The value of a member is an object or array.
    fn begins(&mut self, byte: u8) {
        match self.value.take() {
            Some((Member::Result, _)) if byte == b'{' => (self.keys_to, self.wants_key) = (2, true),
            Some((Member::Id | Member::Type, _)) if self.call.is_some() => self.seen = Seen::Doubt,
            _ => {}
        }
    }

    /// Takes a part of the value that is looked at, if there is one.
    fn keep(&mut self, part: &[u8]) {
        let Some((member, value)) = &mut self.value else { return };
        let most = member.longest();
        value.extend_from_slice(part.get(..most + 1 - value.len().min(most + 1)).unwrap_or(part));
    }

    /// The value of a member has ended.
    fn ends(&mut self) {
        let Some((member, value)) = self.value.take() else { return };
        match (member, &self.call) {
            (Member::Failed, _) => self.is_error = value == b"true",
            (Member::Type, Some(_)) if value == br#""complete""# => self.seen = Seen::Result,
            (Member::Type, Some(_)) => self.seen = Seen::Doubt,
            (Member::Id, Some(call)) if member::id(&value).as_ref() != Some(call) => self.seen = Seen::Doubt,
            _ => {}
        }
    }
}
