//! The top level of a message, read while it comes: is it plainly the result of a request? What a tool returns may be of any
//! size and odd in itself, and passes unread; but a request, an error, or what two readers could take for one does not.

use memchr::memchr2;

/// Bytes of a key of the top level; those that JSON-RPC has are shorter.
const LONGEST_KEY: usize = 8;

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

/// Reads the top level of a message, however it is cut into pieces.
#[derive(Debug, Clone)]
pub struct Skim {
    seen: Seen,
    depth: u32,
    ended: bool,
    text: Option<Text>,
    /// The next text of the top level is a key.
    wants_key: bool,
}

/// A text that has begun.
#[derive(Debug, Clone)]
struct Text {
    /// It is a key of the top level; so far.
    key: Option<Vec<u8>>,
    escaped: bool,
}

impl Default for Skim {
    fn default() -> Self {
        Self { seen: Seen::Nothing, depth: 0, ended: false, text: None, wants_key: false }
    }
}

/// Whether a whole message is plainly a result, whatever is in it.
pub fn is_result(body: &[u8]) -> bool {
    let mut skim = Skim::default();
    skim.push(body) == Seen::Result && skim.ended
}

impl Skim {
    /// Takes what came next. Doubt stays.
    pub fn push(&mut self, mut piece: &[u8]) -> Seen {
        while let (Some((&byte, rest)), true) = (piece.split_first(), self.seen != Seen::Doubt) {
            piece = if self.text.is_some() { self.text(piece) } else { self.mark(byte, rest) };
        }
        self.seen
    }

    /// Goes on in a text; what is behind it, or behind the part of it that was looked at.
    fn text<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let Some(text) = &mut self.text else { return piece };
        if std::mem::take(&mut text.escaped) {
            return piece.get(1..).unwrap_or_default();
        }
        let plain = memchr2(b'"', b'\\', piece).unwrap_or(piece.len());
        let mut doubtful = false;
        if let Some(key) = &mut text.key {
            key.extend_from_slice(&piece[..plain.min(LONGEST_KEY + 1)]);
            doubtful = key.len() > LONGEST_KEY || piece.get(plain) == Some(&b'\\');
        }
        match piece.get(plain) {
            Some(b'\\') => text.escaped = true,
            Some(_) => {
                let ended = self.text.take();
                if let Some(key) = ended.and_then(|text| text.key) {
                    self.key(&key);
                }
            }
            None => {}
        }
        if doubtful {
            self.seen = Seen::Doubt;
        }
        piece.get(plain + 1..).unwrap_or_default()
    }

    fn key(&mut self, key: &[u8]) {
        self.seen = match (key, self.seen) {
            (b"jsonrpc" | b"id", seen) => seen,
            (b"result", Seen::Nothing) => Seen::Result,
            _ => Seen::Doubt,
        };
    }

    /// One byte outside of texts.
    fn mark<'a>(&mut self, byte: u8, rest: &'a [u8]) -> &'a [u8] {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'{' if self.depth == 0 && !self.ended => (self.depth, self.wants_key) = (1, true),
            _ if self.depth == 0 => self.seen = Seen::Doubt,
            b'"' => {
                let is_key = self.depth == 1 && std::mem::take(&mut self.wants_key);
                self.text = Some(Text { key: is_key.then(Vec::new), escaped: false });
            }
            b'{' | b'[' => self.depth = self.depth.saturating_add(1),
            b'}' | b']' => {
                self.depth -= 1;
                self.ended = self.depth == 0;
            }
            b',' if self.depth == 1 => self.wants_key = true,
            // A key is a text.
            _ if self.depth == 1 && self.wants_key => self.seen = Seen::Doubt,
            _ => {}
        }
        rest
    }
}
