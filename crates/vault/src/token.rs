//! Tokens people copy: `tg_grant_`, `tg_key_`, `tg_session_` or `tg_connect_`, 43 base62 digits of 256 random bits, and 6 of a
//! checksum. The prefix lets secret scanners find them; the checksum refuses a mistyped one before any look-up.

use std::fmt;

use zeroize::Zeroizing;

use crate::{Entropy, Error};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 > 2^256.
const BODY: usize = 43;
/// 62^6 > 2^32.
const CHECKSUM: usize = 6;

/// What a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// The gateway, for one grant.
    Grant,
    /// The management API, for one organisation.
    Key,
    /// The dashboard and the API, for one person's log-in.
    Session,
    /// The page at which somebody connects an upstream server.
    Connect,
}

impl TokenKind {
    /// What every token of this kind starts with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Grant => "tg_grant_",
            Self::Key => "tg_key_",
            Self::Session => "tg_session_",
            Self::Connect => "tg_connect_",
        }
    }

    /// The kind that `text` claims to be.
    pub fn claimed(text: &str) -> Option<Self> {
        [Self::Grant, Self::Key, Self::Session, Self::Connect]
            .into_iter()
            .find(|kind| text.starts_with(kind.prefix()))
    }
}

/// A whole token. It can't be printed: show [`Token::hint`], or the text once with [`Token::expose`].
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: Zeroizing<String>,
}

impl Token {
    /// A new token with 256 random bits.
    pub fn generate(kind: TokenKind, entropy: &Entropy) -> Self {
        let random = Zeroizing::new(entropy.bytes::<32>());
        let length = kind.prefix().len() + BODY + CHECKSUM;
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(kind.prefix());
        push_base62(&mut text, &random);
        let checksum = checksum(&text);
        text.push_str(&checksum);
        Self { kind, text }
    }

    /// Reads a token of this kind. Says nothing about whether it was ever given out.
    pub fn parse(kind: TokenKind, text: &str) -> Result<Self, Error> {
        let digits = text.strip_prefix(kind.prefix()).ok_or(Error::NotAToken)?;
        if digits.len() != BODY + CHECKSUM || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Error::NotAToken);
        }
        let (checked, sum) = text.split_at(text.len() - CHECKSUM);
        if checksum(checked) != sum {
            return Err(Error::NotAToken);
        }
        Ok(Self { kind, text: Zeroizing::new(text.to_owned()) })
    }

    /// What it opens.
    pub fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The text, for the one who may see it. Every call of this is a place to review.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the text: what is stored and looked up. 256 random bits need no salt and no slow hash.
    pub fn hash(&self) -> [u8; 32] {
        crate::sha256(self.text.as_bytes())
    }

    /// What may be shown for ever: `tg_grant_…a1b2`.
    pub fn hint(&self) -> String {
        format!("{}…{}", self.kind.prefix(), &self.text[self.text.len() - 4..])
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({})", self.hint())
    }
}

/// The CRC-32 (ISO 3309) of prefix and body, as base62 digits.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

/// Appends the big-endian number `bytes` as 43 base62 digits, by long division.
fn push_base62(text: &mut String, bytes: &[u8; 32]) {
    let mut number = Zeroizing::new(*bytes);
    let mut digits = Zeroizing::new([0u8; BODY]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0u32;
        for byte in number.iter_mut() {
            let value = remainder << 8 | u32::from(*byte);
            // `remainder` was below 62, so the quotient fits the last byte.
            [.., *byte] = (value / 62).to_be_bytes();
            remainder = value % 62;
        }
        *digit = ALPHABET[remainder as usize];
    }
    text.extend(digits.iter().copied().map(char::from));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base62(bytes: [u8; 32]) -> String {
        let mut text = String::new();
        push_base62(&mut text, &bytes);
        text
    }

    #[test]
    fn base62_is_the_number_in_digits() {
        assert_eq!(base62([0; 32]), "0".repeat(43));
        let mut one_more_than_61 = [0; 32];
        one_more_than_61[31] = 62;
        assert_eq!(base62(one_more_than_61), format!("{}10", "0".repeat(41)));
        // 2^256 - 1, computed elsewhere.
        assert_eq!(base62([0xff; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // The check value of CRC-32: 0xCBF43926 of "123456789".
        assert_eq!(checksum("123456789"), "3jZRME");
    }
}
