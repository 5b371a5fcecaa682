//! Strings: borrowed where nothing is escaped.

use std::borrow::Cow;

use crate::error::Kind;

/// A string that was read, and the first thing that is wrong with it.
pub(crate) struct Read<'a> {
    /// Unescaped. Half a surrogate pair stands here as U+FFFD.
    pub(crate) text: Cow<'a, str>,
    /// Bytes, quotes included.
    pub(crate) length: usize,
    /// What, and at which byte.
    pub(crate) fault: Option<(Kind, usize)>,
}

/// Reads a string from its opening quote on.
pub(crate) fn read(source: &str) -> Read<'_> {
    let bytes = source.as_bytes();
    let mut at = 1;
    // Where the part begins that is not yet in `owned`.
    let mut from = 1;
    let mut owned: Option<String> = None;
    let mut lone = None;
    loop {
        let run = bytes[at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
        let Some(run) = run else { return broken(Kind::UnexpectedEnd, bytes.len()) };
        at += run;
        match bytes[at] {
            b'"' => {
                let rest = &source[from..at];
                let text = owned.map_or(Cow::Borrowed(rest), |head| Cow::Owned(head + rest));
                return Read { text, length: at + 1, fault: lone.map(|at| (Kind::LoneSurrogate, at)) };
            }
            b'\\' => {
                let escape = match escape(&bytes[at..]) {
                    Ok(escape) => escape,
                    Err((kind, offset)) => return broken(kind, at + offset),
                };
                let text = owned.get_or_insert_default();
                text.push_str(&source[from..at]);
                text.push(escape.character.unwrap_or(char::REPLACEMENT_CHARACTER));
                if escape.character.is_none() {
                    lone = lone.or(Some(at));
                }
                at += escape.length;
                from = at;
            }
            _ => return broken(Kind::ControlCharacter, at),
        }
    }
}

fn broken<'a>(kind: Kind, offset: usize) -> Read<'a> {
    Read { text: Cow::Borrowed(""), length: 0, fault: Some((kind, offset)) }
}

struct Escape {
    /// None: half of a surrogate pair.
    character: Option<char>,
    length: usize,
}

/// Reads an escape from its backslash on.
fn escape(bytes: &[u8]) -> Result<Escape, (Kind, usize)> {
    let plain = |character| Ok(Escape { character: Some(character), length: 2 });
    match bytes.get(1) {
        Some(b'"') => plain('"'),
        Some(b'\\') => plain('\\'),
        Some(b'/') => plain('/'),
        Some(b'b') => plain('\u{8}'),
        Some(b'f') => plain('\u{c}'),
        Some(b'n') => plain('\n'),
        Some(b'r') => plain('\r'),
        Some(b't') => plain('\t'),
        Some(b'u') => {
            let first = hex(bytes, 2)?;
            if !(0xd800..0xdc00).contains(&first) {
                return Ok(Escape { character: char::from_u32(first), length: 6 });
            }
            let second = if bytes[6..].starts_with(b"\\u") { hex(bytes, 8)? } else { 0 };
            if !(0xdc00..0xe000).contains(&second) {
                return Ok(Escape { character: None, length: 6 });
            }
            let character = char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            Ok(Escape { character, length: 12 })
        }
        Some(_) => Err((Kind::BadEscape, 0)),
        None => Err((Kind::UnexpectedEnd, 1)),
    }
}

/// Four hexadecimal digits.
fn hex(bytes: &[u8], at: usize) -> Result<u32, (Kind, usize)> {
    let digits = bytes.get(at..at + 4).ok_or((Kind::UnexpectedEnd, bytes.len()))?;
    digits.iter().try_fold(0, |sum, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or((Kind::BadEscape, at - 2))?;
        Ok(sum * 16 + digit)
    })
}
