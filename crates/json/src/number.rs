//! Numbers as exact decimals of their text: no rounding, no `f64`, no allocation.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::decimal::{Decimal, Round};

/// Digits that a number may have, before and behind the point together.
pub const MAX_DIGITS: usize = 64;
/// The greatest exponent of ten, either sign, as written and of the leading digit. With it, a number may be as large as a
/// 64-bit float holds.
pub const MAX_EXPONENT: i32 = 308;

/// A number, exactly as written. `1`, `1.0` and `10e-1` are equal.
#[derive(Debug, Clone)]
pub struct Number<'a> {
    text: Cow<'a, str>,
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

impl<'a> Number<'a> {
    /// A number of JSON's grammar and within range; nothing else, no white space either.
    pub fn parse(text: &'a str) -> Option<Self> {
        let scan = scan(text.as_bytes());
        (scan.length == text.len() && scan.fault.is_none()).then(|| Self::trusted(text))
    }

    /// A text that [`scan`] has found good.
    pub(crate) fn trusted(text: &'a str) -> Self {
        Self { text: Cow::Borrowed(text) }
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Compares the exact values.
    pub fn compare(&self, other: &Number<'_>) -> Ordering {
        if self.text == other.text {
            return Ordering::Equal;
        }
        Decimal::of(&self.text).compare(&Decimal::of(&other.text))
    }

    /// Millionths, rounded up: `0.0000001` is 1.
    pub fn to_micros_ceil(&self) -> Result<u64, Unpayable> {
        Decimal::of(&self.text).scaled(6, Round::Up)
    }

    /// Millionths, rounded down.
    pub fn to_micros_floor(&self) -> Result<u64, Unpayable> {
        Decimal::of(&self.text).scaled(6, Round::Down)
    }

    /// The value, where it is a whole number that 64 bits hold: `3`, `3.0` and `30e-1`.
    pub fn to_u64(&self) -> Option<u64> {
        let decimal = Decimal::of(&self.text);
        let whole = decimal.scaled(0, Round::Down).ok()?;
        (decimal.scaled(0, Round::Up) == Ok(whole)).then_some(whole)
    }

    /// Whether it has nothing behind the point.
    pub fn is_whole(&self) -> bool {
        Decimal::of(&self.text).is_whole()
    }

    /// The one text that all numbers of this value share.
    pub fn canonical(&self) -> String {
        Decimal::of(&self.text).to_text()
    }

    /// The same number with a text of its own.
    pub fn into_owned(self) -> Number<'static> {
        Number { text: Cow::Owned(self.text.into_owned()) }
    }
}

/// What the longest number at the start of some bytes looks like.
pub(crate) struct Scan {
    /// Bytes that belong to it.
    pub(crate) length: usize,
    /// Why it is no number that can be kept.
    pub(crate) fault: Option<Fault>,
}

/// What is wrong with a number.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// Not of JSON's grammar; the scan's length says where.
    Grammar,
    /// Too many digits, or too great an exponent.
    Range,
}

/// Reads the grammar of RFC 8259, 6, and checks the range.
pub(crate) fn scan(bytes: &[u8]) -> Scan {
    let digits_from = |start: usize| {
        bytes.get(start..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    let bad = |length| Scan { length, fault: Some(Fault::Grammar) };

    let whole = digits_from(at);
    if whole == 0 || (whole > 1 && bytes[at] == b'0') {
        return bad(at + usize::from(whole > 0));
    }
    at += whole;
    let mut digits = whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits_from(at + 1);
        at += 1 + fraction;
        if fraction == 0 {
            return bad(at);
        }
        digits += fraction;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits_from(at);
        at += exponent;
        if exponent == 0 {
            return bad(at);
        }
    }
    // Only a text of few digits may be taken apart: that many fit the buffer.
    let text = std::str::from_utf8(&bytes[..at]).unwrap_or_default();
    let fits = digits <= MAX_DIGITS && Decimal::of(text).in_range() && !is_infinite(text);
    Scan { length: at, fault: (!fits).then_some(Fault::Range) }
}

/// Whether readers that keep numbers in 64-bit floats, most of them, make infinity of it.
fn is_infinite(text: &str) -> bool {
    text.parse().is_ok_and(f64::is_infinite)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn spellings_of_one_value_are_equal() {
        for same in [
            vec!["1", "1.0", "10e-1", "0.1e1", "1E+0", "1.000", "100e-2"],
            vec!["0", "-0", "0.0", "0e5", "-0.000e-300"],
            vec!["-12.5", "-125e-1", "-0.125e2"],
            vec!["1000000000000000000000000", "1e24"],
        ] {
            for a in &same {
                for b in &same {
                    assert_eq!(number(a).compare(&number(b)), Ordering::Equal, "{a} {b}");
                    assert_eq!(number(a).canonical(), number(b).canonical(), "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn order_is_exact() {
        let ascending = [
            "-1e308",
            "-2",
            "-1.5",
            "-1",
            "-1e-308",
            "0",
            "1e-308",
            "0.3",
            "0.30000000000000004",
            "0.31",
            "1",
            "9007199254740992",
            "9007199254740993",
            "1e16",
            "1e300",
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(number(a).compare(&number(b)), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn amounts_are_millionths() {
        let up = |text| number(text).to_micros_ceil();
        let down = |text| number(text).to_micros_floor();
        assert_eq!(up("12.34"), Ok(12_340_000));
        assert_eq!(up("0.99"), Ok(990_000));
        assert_eq!((up("1e-7"), down("1e-7")), (Ok(1), Ok(0)));
        assert_eq!((up("1.0000001"), down("1.0000001")), (Ok(1_000_001), Ok(1_000_000)));
        assert_eq!((up("0"), up("-0")), (Ok(0), Ok(0)));
        assert_eq!(up("-0.0000001"), Err(Unpayable::Negative));
        assert_eq!(up("18446744073709.551615"), Ok(u64::MAX));
        assert_eq!(up("18446744073709.5516151"), Err(Unpayable::TooLarge));
        assert_eq!(down("18446744073709.5516151"), Ok(u64::MAX));
        assert_eq!(up("99999999999999999999"), Err(Unpayable::TooLarge));
        assert_eq!(up("1e308"), Err(Unpayable::TooLarge));
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(number("30e-1").to_u64(), Some(3));
        assert_eq!(number("2678400.0").to_u64(), Some(2_678_400));
        assert_eq!(number("18446744073709551616").to_u64(), None);
        assert_eq!(number("1.5").to_u64(), None);
        assert_eq!(number("-1").to_u64(), None);
        assert!(number("1e300").is_whole() && number("-2.0").is_whole() && number("0.0").is_whole());
        assert!(!number("1.5").is_whole() && !number("1e-1").is_whole());
    }

    #[test]
    fn canonical_texts_are_numbers_of_the_same_value() {
        for (written, canonical) in [
            ("100", "100"),
            ("1.50", "1.5"),
            ("0.000001", "0.000001"),
            ("1e-7", "1e-7"),
            ("12e-9", "1.2e-8"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e21"),
            ("-0.125", "-0.125"),
            ("-1.23e100", "-1.23e100"),
        ] {
            assert_eq!(number(written).canonical(), canonical);
            assert_eq!(number(written).compare(&number(canonical)), Ordering::Equal);
        }
    }

    #[test]
    fn the_range_is_64_digits_and_308() {
        let digits = |n: usize| "9".repeat(n);
        assert!(Number::parse(&digits(64)).is_some());
        assert!(Number::parse(&digits(65)).is_none());
        assert!(Number::parse(&format!("0.{}", digits(63))).is_some());
        assert!(Number::parse(&format!("0.{}", digits(64))).is_none());
        assert!(Number::parse("1e308").is_some() && Number::parse("1e-308").is_some());
        assert!(Number::parse("1e309").is_none() && Number::parse("1e-309").is_none());
        assert!(Number::parse("0e309").is_none(), "as written");
        assert!(
            Number::parse("10e308").is_none() && Number::parse("0.1e-308").is_none(),
            "of the leading digit"
        );
        assert!(Number::parse("0.1e308").is_some());
        for size in ["1.7976931348623157e308", "1.7976931348623158e308"] {
            assert!(Number::parse(size).is_some(), "rounded to the greatest float: {size}");
        }
        for size in ["1.797693134862316e308", "-2e308", "9e308"] {
            assert!(Number::parse(size).is_none(), "infinity to most readers: {size}");
        }
        assert!(Number::parse("1e99999999999999999999").is_none());
        assert!(
            Number::parse("1e0000000000000000000000000000000000000000000000000000000000000000000001")
                .is_some()
        );
    }

    #[test]
    fn only_the_grammar_of_json_is_a_number() {
        for bad in [
            "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "1 ", " 1", "1,0",
            "--1",
        ] {
            assert!(Number::parse(bad).is_none(), "{bad}");
        }
    }
}
