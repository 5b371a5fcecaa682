//! How much of a text is kept. Callers choose most of them, so what they fill must have an end: in the stream, and in the
//! table.

use serde::Serializer;
use serde::ser::SerializeSeq;

/// Characters of a name, a tool, a pointer.
pub(crate) const SHORT: usize = 512;
/// Characters of a sentence.
pub(crate) const LONG: usize = 2048;
/// Argument keys.
pub(crate) const KEYS: usize = 128;
/// Characters of an argument key.
pub(crate) const KEY: usize = 128;

/// The first `most` characters.
pub(crate) fn clip(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

#[expect(clippy::ref_option, reason = "serde calls it by this shape")]
pub(crate) fn short<S: Serializer>(text: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    optional(text.as_deref(), SHORT, out)
}

#[expect(clippy::ref_option, reason = "serde calls it by this shape")]
pub(crate) fn long<S: Serializer>(text: &Option<String>, out: S) -> Result<S::Ok, S::Error> {
    optional(text.as_deref(), LONG, out)
}

pub(crate) fn sentence<S: Serializer>(text: &str, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(clip(text, LONG))
}

fn optional<S: Serializer>(text: Option<&str>, most: usize, out: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => out.serialize_some(clip(text, most)),
        None => out.serialize_none(),
    }
}

pub(crate) fn keys<S: Serializer>(keys: &[String], out: S) -> Result<S::Ok, S::Error> {
    let kept = keys.iter().take(KEYS);
    let mut list = out.serialize_seq(Some(kept.len()))?;
    for key in kept {
        list.serialize_element(clip(key, KEY))?;
    }
    list.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_between_characters() {
        assert_eq!(clip("crab🦀s", 5), "crab🦀");
        assert_eq!(clip("crab🦀s", 6), "crab🦀s");
        assert_eq!(clip("", 0), "");
        assert_eq!(clip("x", 0), "");
    }
}
