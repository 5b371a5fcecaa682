//! Numbers as exact decimals of their text.

use std::borrow::Cow;
use std::cmp::Ordering;

/// Digits that a number may have, before and behind the point together.
pub const MAX_DIGITS: usize = 64;
/// The greatest exponent of ten, either sign, written or normalised.
pub const MAX_EXPONENT: i32 = 308;

/// A number, exactly as written. `1`, `1.0` and `10e-1` are equal.
#[derive(Debug, Clone)]
pub struct Number<'a> {
    pub(crate) text: Cow<'a, str>,
}

/// Why a number can't be an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// Below zero.
    #[error("the number is negative")]
    Negative,
    /// More millionths than 64 bits hold.
    #[error("the number is too large")]
    TooLarge,
}

impl Number<'_> {
    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Compares the exact values.
    pub fn compare(&self, other: &Number<'_>) -> Ordering {
        let _ = other;
        unimplemented!()
    }

    /// Millionths, rounded up: `0.0000001` is 1.
    pub fn to_micros_ceil(&self) -> Result<u64, Unpayable> {
        unimplemented!()
    }

    /// Millionths, rounded down.
    pub fn to_micros_floor(&self) -> Result<u64, Unpayable> {
        unimplemented!()
    }

    /// The value, where it is a whole number that fits: `3`, `3.0` and `3e0`.
    pub fn to_u64(&self) -> Option<u64> {
        unimplemented!()
    }
}
