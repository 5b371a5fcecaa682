//! Limits, and the shorthand `rate_limit`.

use std::collections::HashSet;
use std::sync::Arc;

use json::{Number, Object, Span, Value};

use super::{Reader, shown};
use crate::document::Entry;
use crate::limit::Cost;
use crate::path::{Path, Root};
use crate::verdict::{Align, Limit, MAX_AMOUNT_MICROS, Scope, Unit, Window};

/// The counter of a `rate_limit` of `all_tools`. No tool's `rate_limit` has this name.
pub(super) const COUNTER_OF_ALL: &str = "all_tools.rate";
/// Limits of an entry: a call takes all of them at once.
const MAX_LIMITS: u32 = 64;
/// Characters of a counter's name.
const MAX_COUNTER: usize = 64;
/// Seconds of a window: 31 days.
const MAX_WINDOW: u64 = 2_678_400;

const FIELDS: [&str; 10] = [
    "counter",
    "window",
    "max",
    "scope",
    "key",
    "increment",
    "increment_from",
    "align",
    "refund_on_error",
    "on_deny",
];

/// What has been read of a limit.
#[derive(Default)]
struct Draft {
    counter: Option<Arc<str>>,
    window: Option<Window>,
    max_micros: Option<u64>,
    scope: Option<Scope>,
    key: Option<Path>,
    increment: Option<u64>,
    increment_from: Option<Path>,
    align: Option<Align>,
    refund_on_error: Option<bool>,
    on_deny: Option<Arc<str>>,
}

impl Reader<'_> {
    /// The limit at a place of an entry's list.
    pub(super) fn limit_of_entry(&mut self, value: &Value<'_>, i: u32) -> Option<Arc<Limit>> {
        if i == MAX_LIMITS {
            let message = format!(
                "this is one limit more than the {MAX_LIMITS} that an entry may have: remove those that others imply"
            );
            self.problem(value.span, "too_many_limits", message);
        }
        self.limit(value)
    }

    fn limit(&mut self, value: &Value<'_>) -> Option<Arc<Limit>> {
        let object = self.object(value, "a limit: an object with `counter`, `window` and `max`")?;
        let mut draft = Draft::default();
        self.fields(object, &FIELDS, |reader, field, value| match field {
            "counter" => draft.counter = reader.counter(value),
            "window" => draft.window = reader.window(value),
            "max" => draft.max_micros = reader.amount(value).and_then(|max| max.to_micros_floor().ok()),
            "scope" => draft.scope = reader.word(value, "unknown_scope", &Scope::WORDS),
            "key" => draft.key = reader.single_path(value),
            "increment" => draft.increment = reader.amount(value).and_then(|cost| cost.to_micros_ceil().ok()),
            "increment_from" => draft.increment_from = reader.cost_path(value),
            "align" => draft.align = reader.word(value, "unknown_align", &Align::WORDS),
            "refund_on_error" => draft.refund_on_error = reader.flag(value),
            _ => draft.on_deny = reader.text(value, "a text for the caller").map(Into::into),
        });
        for (field, how) in [
            ("counter", "name what is counted, as `calls`"),
            ("window", "write `minute`, another unit, or seconds"),
            ("max", "write the most that the window may hold"),
        ] {
            if object.get(field).is_none() {
                self.missing(value, field, how);
            }
        }
        if let (Some(increment), Some(_)) = (object.member("increment"), object.get("increment_from")) {
            let message =
                "`increment` is a fixed cost and `increment_from` one of the call: keep one of them";
            self.within("increment", |reader| {
                reader.problem(increment.key_span, "conflicting_fields", message);
            });
        }
        draft.finish(&self.pointer)
    }

    /// Adds the `rate_limit` of an entry behind its limits, and looks for counters of the same name.
    pub(super) fn finish_limits(&mut self, object: &Object<'_>, counter: &str, entry: &mut Entry) {
        if let Some(value) = object.get("rate_limit") {
            entry.limits.extend(self.within("rate_limit", |reader| reader.rate_limit(value, counter)));
        }
        let written = object.get("limits").and_then(Value::as_array).unwrap_or_default();
        let mut seen = HashSet::new();
        for (i, limit) in written.iter().enumerate() {
            let name = limit.get("counter").and_then(Value::as_str);
            if name.is_some_and(|name| !seen.insert(name)) {
                let place = |reader: &mut Self| {
                    reader.within(&i.to_string(), |reader| reader.same_counter(limit.span));
                };
                self.within("limits", place);
            }
        }
        if let Some(shorthand) = object.get("rate_limit").filter(|_| seen.contains(counter)) {
            self.within("rate_limit", |reader| reader.same_counter(shorthand.span));
        }
    }

    fn same_counter(&mut self, span: Span) {
        let message = "this counter has the name of another one in this entry: rename one of them";
        self.problem(span, "duplicate_counter", message);
    }

    /// `{"max": 10, "window": 60}` or `"10/minute"`.
    fn rate_limit(&mut self, value: &Value<'_>, counter: &str) -> Option<Arc<Limit>> {
        const WANTED: &str = "`\"10/minute\"`, or an object with `max` and `window`";
        let mut draft = Draft { counter: Some(counter.into()), ..Draft::default() };
        if let Some(text) = value.as_str() {
            let read = text.split_once('/').and_then(|(max, unit)| {
                let unit = Unit::WORDS.iter().find(|(word, _)| *word == unit)?.1;
                Some((Number::parse(max)?, unit))
            });
            let Some((max, unit)) = read else {
                self.problem(
                    value.span,
                    "bad_rate",
                    format!("`{}` is not a rate: write {WANTED}", shown(text)),
                );
                return None;
            };
            draft.window = Some(Window::Unit(unit));
            draft.max_micros = self.in_range(&max, value.span).and_then(|max| max.to_micros_floor().ok());
        } else {
            let object = self.object(value, WANTED)?;
            self.fields(object, &["max", "window"], |reader, field, value| match field {
                "max" => draft.max_micros = reader.amount(value).and_then(|max| max.to_micros_floor().ok()),
                _ => draft.window = reader.window(value),
            });
            for field in ["max", "window"] {
                if object.get(field).is_none() {
                    self.missing(value, field, "write both `max` and `window`");
                }
            }
        }
        draft.finish(&self.pointer)
    }

    fn counter(&mut self, value: &Value<'_>) -> Option<Arc<str>> {
        let text = self.text(value, "a name, as `calls`")?;
        let fits = (1..=MAX_COUNTER).contains(&text.len()) && text.bytes().all(is_counter_byte);
        if !fits {
            let message = format!(
                "`{}` is not a counter: use 1 to {MAX_COUNTER} letters, digits, `_`, `.` and `-`",
                shown(text)
            );
            self.problem(value.span, "bad_counter", message);
        }
        fits.then(|| text.into())
    }

    fn window(&mut self, value: &Value<'_>) -> Option<Window> {
        if let Some(number) = value.as_number() {
            let seconds = number.to_u64().filter(|seconds| (1..=MAX_WINDOW).contains(seconds));
            let seconds = seconds.and_then(|seconds| u32::try_from(seconds).ok());
            if seconds.is_none() {
                let message =
                    format!("a window is 1 to {MAX_WINDOW} whole seconds: write one of these, or a unit");
                self.problem(value.span, "unknown_window", message);
            }
            return seconds.map(Window::Seconds);
        }
        self.word(value, "unknown_window", &Unit::WORDS).map(Window::Unit)
    }

    /// A number that a limit can hold.
    fn amount<'v, 'a>(&mut self, value: &'v Value<'a>) -> Option<&'v Number<'a>> {
        let number = self.number(value, "a number, 0 or more")?;
        self.in_range(number, value.span)
    }

    fn in_range<'v, 'a>(&mut self, number: &'v Number<'a>, span: Span) -> Option<&'v Number<'a>> {
        let within = number.to_micros_ceil().is_ok_and(|micros| micros <= MAX_AMOUNT_MICROS);
        if !within {
            self.problem(
                span,
                "out_of_range",
                "an amount is at least 0 and at most 9000000000: write one within",
            );
        }
        within.then_some(number)
    }

    /// A path that names one value.
    fn single_path(&mut self, value: &Value<'_>) -> Option<Path> {
        let path = self.path(value)?;
        if path.is_plural() {
            self.problem(value.span, "bad_path", "`[*]` names several values, and one is needed: name one");
            return None;
        }
        Some(path)
    }

    /// A path that can name a number.
    fn cost_path(&mut self, value: &Value<'_>) -> Option<Path> {
        let path = self.single_path(value)?;
        if path.root != Root::Args || path.steps.is_empty() {
            self.problem(
                value.span,
                "bad_path",
                "a cost is a number among the arguments: write `args.` and its name",
            );
            return None;
        }
        Some(path)
    }
}

impl Draft {
    fn finish(self, pointer: &str) -> Option<Arc<Limit>> {
        let cost = match (self.increment_from, self.increment) {
            (Some(path), _) => Cost::From(path),
            (None, Some(micros)) => Cost::Fixed(micros),
            (None, None) => Cost::Fixed(1_000_000),
        };
        let (window, max_micros) = (self.window?, self.max_micros?);
        let message = self.on_deny.clone().unwrap_or_else(|| generated(max_micros, window).into());
        Some(Arc::new(Limit {
            rule: pointer.into(),
            counter: self.counter?,
            scope: self.scope.unwrap_or(Scope::Grant),
            window,
            align: self.align.unwrap_or(Align::Sliding),
            max_micros,
            refund_on_error: self.refund_on_error.unwrap_or(false),
            message,
            cost,
            key: self.key,
            message_is_written: self.on_deny.is_some(),
        }))
    }
}

/// The message of a limit that has none of its own.
fn generated(max_micros: u64, window: Window) -> String {
    let per = match window {
        Window::Unit(unit) => unit.as_str().to_owned(),
        Window::Seconds(seconds) => format!("{seconds} seconds"),
    };
    format!("the limit of {} per {per} is used up: try again later", crate::verdict::decimal(max_micros))
}

fn is_counter_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// The counter of a `rate_limit`: `<tool>_rate`. A key that can't be part of a counter's name is spelled as far as it can,
/// with a number of its own behind it.
pub(super) fn rate_counter(key: &str) -> String {
    const SUFFIX: &str = "_rate";
    if key.len() + SUFFIX.len() <= MAX_COUNTER && key.bytes().all(is_counter_byte) {
        return format!("{key}{SUFFIX}");
    }
    // FNV-1a: the name must stay the same from one reading, and one release, to the next.
    let number = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let spelled: String =
        key.bytes().map(|byte| if is_counter_byte(byte) { char::from(byte) } else { '_' }).take(40).collect();
    format!("{spelled}.{number:016x}{SUFFIX}")
}
