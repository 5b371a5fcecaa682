//! What a call costs, and what it is counted by.

use json::{Unpayable, Value};

use crate::call::Call;
use crate::path::{Found, Path, Root, any};
use crate::verdict::{Align, Limit, MAX_AMOUNT_MICROS, Scope, Window};
use crate::work;

/// Bytes of a value that calls are counted by, as written: every limit of an entry keeps its own.
const MAX_KEY: u32 = 4 << 10;

/// One call, in millionths.
const ONE: u64 = 1_000_000;

/// The cost of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Millionths, the same for every call.
    Fixed(u64),
    /// The number at this path.
    From(Path),
}

impl Limit {
    /// A limit that no document has written: so many calls of a grant in any span of so many seconds.
    pub fn of_grant(name: &str, seconds: u32, max: u32, message: &str) -> Self {
        Self {
            rule: name.into(),
            counter: name.into(),
            scope: Scope::Grant,
            window: Window::Seconds(seconds),
            align: Align::Sliding,
            max_micros: u64::from(max) * ONE,
            refund_on_error: false,
            message: message.into(),
            message_is_written: true,
            cost: Cost::Fixed(ONE),
            key: None,
        }
    }

    /// The amount and the key of a call, or why it can't be counted.
    pub(crate) fn charge(&self, call: &Call<'_>) -> Result<(u64, Option<String>), String> {
        let amount = match &self.cost {
            Cost::Fixed(amount) => *amount,
            Cost::From(path) => cost(call, path)?,
        };
        let key = self.key.as_ref().map(|path| key(call, path)).transpose()?;
        Ok((amount, key))
    }
}

fn cost(call: &Call<'_>, path: &Path) -> Result<u64, String> {
    let unusable = |what: &str| Err(format!("`{path}` is the cost of this call, and {what}"));
    let amount = with(call, path, |found| match found {
        Found::Value(value) => value.as_number().map(json::Number::to_micros_ceil),
        Found::Missing | Found::WrongType | Found::Text(_) => None,
    });
    match amount {
        // More than any limit holds: kept exact enough for a counter, and never fits.
        Some(Ok(amount)) => Ok(amount.min(MAX_AMOUNT_MICROS + 1)),
        Some(Err(Unpayable::TooLarge)) => Ok(MAX_AMOUNT_MICROS + 1),
        Some(Err(Unpayable::Negative)) => unusable("it is negative"),
        None => unusable("it is not there or not a number"),
    }
}

fn key(call: &Call<'_>, path: &Path) -> Result<String, String> {
    let unusable = |what: &str| format!("calls are counted per `{path}`, {what}");
    let key = with(call, path, |found| match found {
        Found::Value(value) if value.span.end.abs_diff(value.span.start) > MAX_KEY => {
            Some(Err(unusable("whose value is too long to count by")))
        }
        Found::Value(value) => {
            work::steps_of(value);
            Some(Ok(value.canonical()))
        }
        Found::Text(text) => Some(Ok(Value::string(text).canonical())),
        Found::Missing | Found::WrongType => None,
    });
    key.unwrap_or_else(|| Err(unusable("which is not there")))
}

/// Gives what a path without `[*]` leads to.
fn with<T>(call: &Call<'_>, path: &Path, read: impl Fn(Found<'_>) -> Option<T>) -> Option<T> {
    match (path.root, call.arguments) {
        (Root::Args, None) => None,
        (Root::Args, Some(arguments)) => {
            let mut result = None;
            any(arguments, &path.steps, &mut |found| {
                result = read(found);
                true
            });
            result
        }
        (root, _) => read(root.text(call).map_or(Found::Missing, Found::Text)),
    }
}
