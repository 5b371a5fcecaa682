//! Filters of the templates: times, numbers and outcomes in words.

#![expect(
    clippy::inline_always,
    clippy::trivially_copy_pass_by_ref,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "`filter_fn` makes a type of each filter, and hands it references"
)]

use askama::filters::Safe;
use askama::{Result, Values, filter_fn};
use chrono::{DateTime, TimeDelta, Utc};
use control::{Effect, ServerState};
use domain::ApprovalState;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::approvals;
use super::prose::html;

/// `2026-11-22T10:15:00Z`, for programs.
#[filter_fn]
pub fn iso(at: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// `2026-11-22 10:15:00.123 UTC`, for people who need it exactly.
#[filter_fn]
pub fn utc(at: &DateTime<Utc>, _: &dyn Values) -> Result<String> {
    Ok(at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
}

/// `3 min ago`, `in 2 d`; the date where that is more than a month away.
#[filter_fn]
pub fn ago(at: &DateTime<Utc>, _: &dyn Values, now: &DateTime<Utc>) -> Result<String> {
    Ok(relative(*at, *now))
}

/// The same for the end of a day, which belongs to that day: midnight after 2027-01-31 is `2027-01-31`.
#[filter_fn]
pub fn ends(at: &DateTime<Utc>, _: &dyn Values, now: &DateTime<Utc>) -> Result<String> {
    Ok(relative(last_moment(*at), *now))
}

/// `12,345`.
#[filter_fn]
pub fn count<N: ToString>(number: N, _: &dyn Values) -> Result<String> {
    Ok(grouped(&number.to_string()))
}

/// `1 grant`, `2 grants`.
#[filter_fn]
pub fn plural<N: ToString>(number: N, _: &dyn Values, one: &str, many: &str) -> Result<String> {
    let number = number.to_string();
    let noun = if number == "1" { one } else { many };
    Ok(format!("{} {noun}", grouped(&number)))
}

/// What a look at an upstream found, in the words of the pages.
#[filter_fn]
pub fn state_word(state: &ServerState, _: &dyn Values) -> Result<&'static str> {
    Ok(match state {
        ServerState::Ready => "Ready",
        ServerState::Unauthorized => "Credentials refused",
        ServerState::Refused => "Address refused",
        ServerState::Down => "Down",
        ServerState::Slow => "Slow",
        ServerState::NotMcp => "Not MCP",
    })
}

/// Good or bad: the colour of the state's mark.
#[filter_fn]
pub fn state_kind(state: &ServerState, _: &dyn Values) -> Result<&'static str> {
    Ok(match state {
        ServerState::Ready => "good",
        ServerState::Slow => "warn",
        _ => "bad",
    })
}

/// What a policy does to a tool, in the words of the pages.
#[filter_fn]
pub fn effect_word(effect: &Effect, _: &dyn Values) -> Result<&'static str> {
    Ok(match effect {
        Effect::Allow => "Allow",
        Effect::Limit => "Limit",
        Effect::Conditional => "By arguments",
        Effect::Approve => "Approve",
        Effect::Deny => "Deny",
        Effect::Hide => "Hide",
    })
}

/// The outcome whose colour and symbol an effect has.
#[filter_fn]
pub fn effect_outcome(effect: &Effect, _: &dyn Values) -> Result<&'static str> {
    Ok(match effect {
        Effect::Allow => "allow",
        Effect::Limit => "limit",
        Effect::Conditional | Effect::Approve => "pending",
        Effect::Deny => "deny",
        Effect::Hide => "hidden",
    })
}

/// The state of a question about a call, in a word.
#[filter_fn]
pub fn approval_word(state: &ApprovalState, _: &dyn Values) -> Result<&'static str> {
    Ok(approvals::word(*state))
}

/// The outcome whose colour and symbol that state has.
#[filter_fn]
pub fn approval_outcome(state: &ApprovalState, _: &dyn Values) -> Result<&'static str> {
    Ok(approvals::outcome(*state))
}

/// A length of seconds: `1 h`, `90 min`.
#[filter_fn]
pub fn length(seconds: &u32, _: &dyn Values) -> Result<String> {
    Ok(span((*seconds).into()))
}

/// The members of an object in a line: `version 3, from CI bot`.
#[filter_fn]
pub fn details(value: &Value, _: &dyn Values) -> Result<String> {
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(texts) if texts.iter().all(Value::is_string) => {
            texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    Ok(match value {
        Value::Null => String::new(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| format!("{} {}", name.replace('_', " "), word(value)))
            .collect::<Vec<_>>()
            .join(", "),
        other => word(other),
    })
}

/// Microseconds as milliseconds: `0.34 ms`, `12 ms`, `1.20 s`.
#[filter_fn]
pub fn millis(micros: &u64, _: &dyn Values) -> Result<String> {
    Ok(match *micros {
        n @ 0..10_000 => format!("{}.{:02} ms", n / 1000, n % 1000 / 10),
        n @ 10_000..1_000_000 => format!("{} ms", n / 1000),
        n => format!("{}.{:02} s", n / 1_000_000, n % 1_000_000 / 10_000),
    })
}

/// Millionths as a decimal: `10`, `0.99`.
#[filter_fn]
pub fn amount(micros: &u64, _: &dyn Values) -> Result<String> {
    let (whole, rest) = (grouped(&(micros / 1_000_000).to_string()), micros % 1_000_000);
    let rest = format!("{rest:06}");
    let rest = rest.trim_end_matches('0');
    Ok(if rest.is_empty() { whole } else { format!("{whole}.{rest}") })
}

/// An outcome in the words of the pages.
#[filter_fn]
pub fn outcome_word<O: ToString>(outcome: O, _: &dyn Values) -> Result<&'static str> {
    Ok(word(&outcome.to_string()))
}

/// For a value in the query of an address.
#[filter_fn]
pub fn encoded<S: AsRef<str>>(text: S, _: &dyn Values) -> Result<String> {
    Ok(byte_serialize(text.as_ref().as_bytes()).collect())
}

/// A sentence, escaped, with `code` between backticks and a capital first letter.
#[filter_fn]
pub fn prose<S: AsRef<str>>(text: S, _: &dyn Values) -> Result<Safe<String>> {
    Ok(Safe(html(text.as_ref())))
}

/// An outcome in the words of the pages.
pub fn word(outcome: &str) -> &'static str {
    match outcome {
        "allow" => "Allowed",
        "deny" => "Denied",
        "hidden" => "Hidden",
        "limit" => "Limited",
        "pending" => "Pending",
        "error" => "Error",
        "unauthenticated" => "No valid grant",
        "malformed" => "Malformed",
        _ => "Unknown",
    }
}

/// A length of seconds, in the longest unit that it is a whole number of: `1 h`, `90 min`.
pub fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds.is_multiple_of(*length));
    let (length, word) = unit.unwrap_or((1, "s"));
    format!("{} {word}", seconds / length)
}

/// The last microsecond before `at`.
pub fn last_moment(at: DateTime<Utc>) -> DateTime<Utc> {
    at - TimeDelta::microseconds(1)
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn relative(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    let amount = match seconds.abs() {
        0..5 => return "just now".to_owned(),
        n @ 5..60 => format!("{n} s"),
        n @ 60..3600 => format!("{} min", n / 60),
        n @ 3600..86_400 => format!("{} h", n / 3600),
        n @ 86_400..2_678_400 => format!("{} d", n / 86_400),
        _ => return at.format("%Y-%m-%d").to_string(),
    };
    if seconds < 0 { format!("in {amount}") } else { format!("{amount} ago") }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;

    use super::*;

    #[test]
    fn times_are_relative_until_they_are_far() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).expect("a time");
        let said = |ago: i64| relative(now - Duration::seconds(ago), now);
        assert_eq!(said(2), "just now");
        assert_eq!(said(59), "59 s ago");
        assert_eq!(said(3599), "59 min ago");
        assert_eq!(said(-7200), "in 2 h");
        assert_eq!(said(86_400 * 3), "3 d ago");
        assert_eq!(said(86_400 * 60), "2026-07-23");
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped("999"), "999");
        assert_eq!(grouped("1000"), "1,000");
        assert_eq!(grouped("-1234567"), "-1,234,567");
    }
}
