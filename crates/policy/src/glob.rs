//! Tool names and globs: `*` is any run of characters, `?` is one, everything else stands for itself, byte by byte.

use std::cmp::Ordering;

use crate::work;

/// The longest name a tool may have to be allowed, and the longest key of a document, in bytes. It bounds the work of
/// matching; names are 1 to 128 characters in the protocol.
pub const MAX_NAME: usize = 256;

/// An exact name or a glob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    text: Box<str>,
}

impl Glob {
    pub(crate) fn new(text: &str) -> Self {
        Self { text: text.into() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// A name without `*` and `?`, which only itself matches.
    pub(crate) fn is_exact(&self) -> bool {
        !self.text.contains(['*', '?'])
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        wildcard(&self.text, name, |pattern, character| pattern == '?' || pattern == character)
    }

    /// Whether every name that `other` matches is matched by this one too. Never says so wrongly, and misses only globs
    /// that say the same in different words.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        // A `*` of the other is taken by a `*` of ours alone; its `?` is a character like another.
        wildcard(&self.text, &other.text, |pattern, character| {
            character != '*' && (pattern == '?' || pattern == character)
        })
    }

    /// The most specific first: exact, then by literal characters, then the lexically smaller.
    pub(crate) fn precedence(&self, other: &Self) -> Ordering {
        let literals = |glob: &Self| glob.text.chars().filter(|c| !matches!(c, '*' | '?')).count();
        (other.is_exact().cmp(&self.is_exact()))
            .then_with(
                || if self.is_exact() { Ordering::Equal } else { literals(other).cmp(&literals(self)) },
            )
            .then_with(|| self.text.cmp(&other.text))
    }
}

/// Greedy matching: on a mismatch only the last `*` takes one character more, so the work is at most the product of the
/// two lengths.
fn wildcard(pattern: &str, text: &str, one: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The pattern behind the last `*`, and the text that it has not taken.
    let mut star = None;
    loop {
        work::steps(1);
        let mut ahead = pattern.clone();
        match ahead.next() {
            Some('*') => {
                star = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            Some(expected) if text.clone().next().is_some_and(|character| one(expected, character)) => {
                pattern = ahead;
                text.next();
                continue;
            }
            None if text.as_str().is_empty() => return true,
            _ => {}
        }
        let Some((behind, untaken)) = &mut star else { return false };
        if untaken.next().is_none() {
            return false;
        }
        pattern = behind.clone();
        text = untaken.clone();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::new(pattern).matches(name)
    }

    #[test]
    fn wildcards_and_nothing_else_are_special() {
        for (pattern, name) in [
            ("a", "a"),
            ("*", ""),
            ("*", "anything"),
            ("a*", "a"),
            ("a*c", "abcbc"),
            ("*a*b*", "xxaxxbxx"),
            ("a?c", "aéc"),
            ("??", "日本"),
            ("**a", "ba"),
            ("*?", "x"),
            ("a.b[c]^$\\", "a.b[c]^$\\"),
            ("*ab", "aab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a", "A"),
            ("a", "a "),
            ("a", " a"),
            ("a", ""),
            ("", "a"),
            ("a?", "a"),
            ("?", ""),
            ("?", "ab"),
            ("a*c", "abcb"),
            ("a.b", "axb"),
            ("é", "e\u{301}"),
            ("*ab", "aba"),
            ("*a?b", "ab"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_most_specific_comes_first() {
        let mut globs: Vec<Glob> =
            ["*", "a?c", "a_*", "b", "a*c", "a_b*", "??????", "a"].map(Glob::new).into();
        globs.sort_by(Glob::precedence);
        let order: Vec<&str> = globs.iter().map(Glob::as_str).collect();
        assert_eq!(order, ["a", "b", "a_b*", "a*c", "a?c", "a_*", "*", "??????"]);
    }

    #[test]
    fn covering() {
        let covers = |a: &str, b: &str| Glob::new(a).covers(&Glob::new(b));
        for (general, special) in [
            ("*", "a*b?"),
            ("a*", "a"),
            ("a*", "ab*"),
            ("a?", "a?"),
            ("a?", "ab"),
            ("*?", "?"),
            ("a*c", "a*b*c"),
        ] {
            assert!(covers(general, special), "{general} {special}");
        }
        for (general, special) in
            [("a?", "a*"), ("?", "*"), ("a*", "*"), ("ab*", "a*"), ("a", "a?"), ("a?c", "a*c")]
        {
            assert!(!covers(general, special), "{general} {special}");
        }
    }
}
