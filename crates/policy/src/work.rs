//! Counts the steps of judging in this crate's own tests, which hold how they grow without a clock. Elsewhere it is nothing.

use crate::path::Found;

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Takes down steps: a value visited, a key compared, a byte of a text looked at.
#[inline]
pub(crate) fn steps(count: usize) {
    #[cfg(test)]
    DONE.with(|done| done.set(done.get() + count));
    #[cfg(not(test))]
    let _ = count;
}

/// As many steps as a value has bytes in the text it was read from.
#[inline]
pub(crate) fn steps_of(value: &json::Value<'_>) {
    steps(value.span.end.saturating_sub(value.span.start) as usize);
}

/// As many steps as what was found has bytes.
#[inline]
pub(crate) fn steps_of_found(found: &Found<'_>) {
    match found {
        Found::Value(value) => steps_of(value),
        Found::Text(text) => steps(text.len()),
        Found::Missing | Found::WrongType => steps(1),
    }
}

#[cfg(test)]
mod tests;
