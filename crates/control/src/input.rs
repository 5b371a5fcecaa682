//! Reading what was typed: every field that is wrong is named, not only the first.

use std::fmt::Display;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::Secret;

use crate::{Error, FieldProblem};

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<FieldProblem>);

impl Problems {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The value, or its problem noted under `pointer`.
    pub(crate) fn take<T, E: Display>(&mut self, pointer: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.note(pointer, error)).ok()
    }

    /// Notes a problem.
    pub(crate) fn note(&mut self, pointer: &str, message: impl Display) {
        self.0.push(FieldProblem { pointer: pointer.to_owned(), message: message.to_string() });
    }

    /// Goes on when there are none.
    pub(crate) fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

impl From<Problems> for Error {
    fn from(problems: Problems) -> Self {
        Self::Invalid(problems.0)
    }
}

/// Characters a password has at least. Length is the only rule that makes guessing harder for sure.
const PASSWORD_CHARACTERS: usize = 12;
/// Bytes it has at most: hashing must stay cheap.
pub(crate) const PASSWORD_BYTES: usize = 1024;

/// Whether a new password will do for the account of `email`.
pub(crate) fn password(password: &Secret<String>, email: &str) -> Result<(), String> {
    let text = password.expose();
    let characters = text.chars().count();
    if characters < PASSWORD_CHARACTERS {
        return Err(format!("has {characters} characters: use at least {PASSWORD_CHARACTERS}"));
    }
    if text.len() > PASSWORD_BYTES {
        return Err(format!("is too long: use at most {PASSWORD_BYTES} bytes"));
    }
    if text.trim().eq_ignore_ascii_case(email.trim()) {
        return Err("is the e-mail address: use another one".to_owned());
    }
    let mut characters = text.chars();
    let first = characters.next();
    if characters.all(|next| Some(next) == first) {
        return Err("is one character repeated: use another one".to_owned());
    }
    Ok(())
}

/// When something is to end: a day, until its end in UTC, or a time. Nothing typed is never.
pub(crate) fn expiry(text: Option<&str>, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, String> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let end_of_day =
        |day: NaiveDate| Some(day.checked_add_days(Days::new(1))?.and_time(NaiveTime::MIN).and_utc());
    let day = text.parse::<NaiveDate>().ok().and_then(end_of_day);
    let time = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let Some(end) = day.or_else(time) else {
        let shown: String = text.chars().take(40).collect();
        return Err(format!(
            "`{shown}` is not a day or time: write it like 2027-01-31 or 2027-01-31T18:00:00Z"
        ));
    };
    // What Postgres stores, so that a value read back equals the one given.
    let end = DateTime::from_timestamp_micros(end.timestamp_micros()).unwrap_or(end);
    if end <= now {
        return Err("is in the past: choose a later day".to_owned());
    }
    Ok(Some(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_when_it_is_over() {
        let now = at("2027-01-31T12:00:00Z");
        assert_eq!(expiry(Some("2027-01-31"), now), Ok(Some(at("2027-02-01T00:00:00Z"))));
        assert_eq!(expiry(Some("2027-01-31T20:00:00+02:00"), now), Ok(Some(at("2027-01-31T18:00:00Z"))));
        assert_eq!(expiry(Some("  "), now), Ok(None));
        assert_eq!(expiry(None, now), Ok(None));
    }

    #[test]
    fn what_is_past_or_no_time_is_refused() {
        let now = at("2027-01-31T12:00:00Z");
        for text in ["2027-01-30", "2027-01-31T12:00:00Z"] {
            assert!(expiry(Some(text), now).unwrap_err().starts_with("is in the past"), "{text}");
        }
        for text in ["soon", "2027-02-30", "31.01.2027", "2027-01-31T12:00"] {
            assert!(expiry(Some(text), now).unwrap_err().contains("is not a day or time"), "{text}");
        }
    }

    #[test]
    fn a_password_is_long_and_not_the_address() {
        let check = |text: &str| password(&Secret::new(text.to_owned()), "ada@example.com").is_ok();
        assert!(check("correct horse"));
        assert!(check("пароль-пароль"));
        assert!(!check("eleven char"));
        assert!(!check("Ada@Example.com"));
        assert!(!check("aaaaaaaaaaaaaaaa"));
        assert!(!check(&"ab".repeat(513)));
    }
}
