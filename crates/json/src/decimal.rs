//! A number taken apart: sign, digits and where the point stands. On the stack, and exact.

use std::cmp::Ordering;

use crate::number::{MAX_DIGITS, MAX_EXPONENT, Unpayable};

/// Which way millionths are rounded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Round {
    Up,
    Down,
}

/// `0.d1d2d3... * 10^point`; `d1` and the last digit are not zero, and zero has no digits at all.
pub(crate) struct Decimal {
    negative: bool,
    digits: [u8; MAX_DIGITS],
    length: usize,
    point: i32,
    /// As written.
    exponent: i32,
}

impl Decimal {
    /// Takes apart a text of JSON's grammar with at most [`MAX_DIGITS`] digits.
    pub(crate) fn of(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (negative, mantissa) = mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let exponent = saturating_exponent(exponent);

        let mut decimal = Self { negative, digits: [0; MAX_DIGITS], length: 0, point: 0, exponent };
        let mut before_point = true;
        for byte in mantissa.bytes() {
            if byte == b'.' {
                before_point = false;
            } else if decimal.length == 0 && byte == b'0' {
                decimal.point -= i32::from(!before_point);
            } else if decimal.length < MAX_DIGITS {
                decimal.digits[decimal.length] = byte - b'0';
                decimal.length += 1;
                decimal.point += i32::from(before_point);
            }
        }
        while decimal.length > 0 && decimal.digits[decimal.length - 1] == 0 {
            decimal.length -= 1;
        }
        if decimal.length == 0 {
            decimal.negative = false;
            decimal.point = 0;
        } else {
            decimal.point = decimal.point.saturating_add(exponent);
        }
        decimal
    }

    fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }

    /// Whether it has nothing behind the point.
    pub(crate) fn is_whole(&self) -> bool {
        self.length == 0 || usize::try_from(self.point).is_ok_and(|point| self.length <= point)
    }

    /// The exponent as written, and that of the leading digit, are both within bounds.
    pub(crate) fn in_range(&self) -> bool {
        let leading = if self.length == 0 { 0 } else { self.point.saturating_sub(1) };
        self.exponent.unsigned_abs() <= MAX_EXPONENT.unsigned_abs()
            && leading.unsigned_abs() <= MAX_EXPONENT.unsigned_abs()
    }

    /// Compares the exact values.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let sign = |decimal: &Self| match (decimal.length, decimal.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        };
        sign(self).cmp(&sign(other)).then_with(|| {
            let size = self.point.cmp(&other.point).then_with(|| self.digits().cmp(other.digits()));
            if self.negative { size.reverse() } else { size }
        })
    }

    /// The value times `10^places`, as a whole number.
    pub(crate) fn scaled(&self, places: i32, round: Round) -> Result<u64, Unpayable> {
        if self.negative {
            return Err(Unpayable::Negative);
        }
        let whole_digits = self.point + places;
        if whole_digits > 20 {
            return Err(Unpayable::TooLarge);
        }
        let whole_digits = usize::try_from(whole_digits).unwrap_or(0);
        let whole = (0..whole_digits)
            .fold(0_u128, |sum, place| sum * 10 + u128::from(self.digits().get(place).copied().unwrap_or(0)));
        let rest = u128::from(round == Round::Up && self.length > whole_digits);
        u64::try_from(whole + rest).map_err(|_| Unpayable::TooLarge)
    }

    /// Plain where that is short, with an exponent otherwise.
    pub(crate) fn to_text(&self) -> String {
        if self.length == 0 {
            return "0".to_owned();
        }
        let digits: String = self.digits().iter().map(|digit| char::from(b'0' + digit)).collect();
        let sign = if self.negative { "-" } else { "" };
        let point = usize::try_from(self.point).unwrap_or(0);
        if self.point > 21 || self.point < -5 {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{rest}e{}", self.point - 1)
        } else if self.point <= 0 {
            format!("{sign}0.{:0>width$}", digits, width = digits.len() + self.point.unsigned_abs() as usize)
        } else if self.length <= point {
            format!("{sign}{digits:0<point$}")
        } else {
            format!("{sign}{}.{}", &digits[..point], &digits[point..])
        }
    }
}

/// An exponent of any number of digits; far beyond the range it no longer matters how far.
fn saturating_exponent(text: &str) -> i32 {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    let size = digits.iter().fold(0_i32, |sum, digit| (sum * 10 + i32::from(digit - b'0')).min(100_000));
    if negative { -size } else { size }
}
