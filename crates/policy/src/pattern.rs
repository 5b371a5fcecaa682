//! Regular expressions: linear time, compiled once, bounded in size.
//!
//! A small expression becomes a table that is searched without any allocation. One whose table would be large, or that
//! asks for Unicode word boundaries, goes to the meta engine, which keeps a scratch space per thread.

use std::fmt;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Input, meta};

/// Bytes that a compiled expression may take.
const MAX_COMPILED: usize = 64 << 10;
/// Bytes of a table, and of the work to make it: what is larger is left to the meta engine.
const MAX_TABLE: usize = 16 << 10;
const MAX_TABLE_WORK: usize = 64 << 10;
/// Bytes of scratch space per thread.
const MAX_SCRATCH: usize = 256 << 10;

/// A compiled expression. Prints as it was written.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: Box<str>,
    engine: Engine,
}

#[derive(Clone)]
enum Engine {
    Table(Box<dense::DFA<Vec<u32>>>),
    Meta(Box<meta::Regex>),
}

/// Why a text is not an expression that can be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("not a regular expression: {0}")]
    Syntax(String),
    #[error(
        "the regular expression takes over 64 KiB when compiled: shorten its repetitions (test a length with \
         `length_lte`), or put `(?-u)` in front where ASCII is enough"
    )]
    TooLarge,
}

impl Pattern {
    /// Compiles an expression of the `regex` crate's syntax.
    pub(crate) fn compile(text: &str) -> Result<Self, PatternError> {
        let hir = regex_syntax::parse(text).map_err(|error| PatternError::Syntax(first_sentence(&error)))?;
        let config =
            thompson::Config::new().nfa_size_limit(Some(MAX_COMPILED)).which_captures(WhichCaptures::None);
        let nfa = thompson::Compiler::new()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|_| PatternError::TooLarge)?;
        let table = dense::Builder::new()
            .configure(
                dense::Config::new()
                    .start_kind(StartKind::Unanchored)
                    .dfa_size_limit(Some(MAX_TABLE))
                    .determinize_size_limit(Some(MAX_TABLE_WORK)),
            )
            .build_from_nfa(&nfa);
        let engine = match table {
            Ok(table) => Engine::Table(Box::new(table)),
            Err(_) => Engine::Meta(Box::new(Self::meta(&hir)?)),
        };
        Ok(Self { text: text.into(), engine })
    }

    fn meta(hir: &regex_syntax::hir::Hir) -> Result<meta::Regex, PatternError> {
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_COMPILED))
            .hybrid_cache_capacity(MAX_SCRATCH)
            .which_captures(WhichCaptures::None);
        meta::Builder::new().configure(config).build_from_hir(hir).map_err(|_| PatternError::TooLarge)
    }

    /// Whether it matches anywhere in `text`. `None`, which no known text gives, is an engine that gave up.
    pub(crate) fn matches(&self, text: &str) -> Option<bool> {
        match &self.engine {
            Engine::Table(table) => {
                table.try_search_fwd(&Input::new(text).earliest(true)).ok().map(|found| found.is_some())
            }
            Engine::Meta(meta) => Some(meta.is_match(text)),
        }
    }

    /// As written.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

/// What is wrong, without the drawing of where.
fn first_sentence(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        regex_syntax::Error::Translate(error) => {
            format!("{} at character {}", error.kind(), error.span().start.column)
        }
        _ => "it can't be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_table(pattern: &str) -> bool {
        matches!(Pattern::compile(pattern).expect("compiles").engine, Engine::Table(_))
    }

    #[test]
    fn small_expressions_are_tables() {
        for pattern in [
            "^[A-Za-z0-9_-]{1,64}$",
            "^[0-9a-f-]{36}$",
            "^billing/",
            "(?i)drop\\s+table",
            "",
            "a|b|^$",
            "(?-u:\\b)x",
        ] {
            assert!(is_table(pattern), "{pattern}");
        }
        for pattern in ["^\\w+$", "\\bfoo\\b", "(a|b)*a(a|b){12}"] {
            assert!(!is_table(pattern), "{pattern}");
        }
    }

    #[test]
    fn both_engines_say_the_same() {
        let patterns = [
            "",
            "^$",
            "a*",
            "^a{2,3}$",
            "[^a]",
            ".",
            "(?s)^.$",
            "é|日",
            "(?i)É",
            "^(ab|a)b?$",
            "\\d",
            "x*$",
            "a|",
            "\\z",
            "[a-c]+é",
        ];
        let texts = [
            "", "a", "aa", "aaa", "aaaa", "é", "É", "日本", "ab", "abb", "b", "\n", "a\n", "٣", "3", "xa",
            "cé", "\u{0}", "😀",
        ];
        for pattern in patterns {
            let table = Pattern::compile(pattern).expect("compiles");
            assert!(matches!(table.engine, Engine::Table(_)) || pattern == "\\d", "{pattern}");
            let hir = regex_syntax::parse(pattern).expect("parses");
            let meta = Pattern::meta(&hir).expect("compiles");
            for text in texts {
                assert_eq!(table.matches(text), Some(meta.is_match(text)), "{pattern:?} {text:?}");
            }
        }
    }

    #[test]
    fn it_prints_as_it_was_written() {
        assert_eq!(format!("{:?}", Pattern::compile("^a\\d\"").expect("compiles")), r#""^a\\d\"""#);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |pattern: &str| Pattern::compile(pattern).expect_err("refused");
        assert_eq!(error("a(b"), PatternError::Syntax("unclosed group at character 2".to_owned()));
        assert_eq!(
            error("(?-u:\\xff)"),
            PatternError::Syntax("pattern can match invalid UTF-8 at character 6".to_owned())
        );
        assert!(matches!(error("(?=a)"), PatternError::Syntax(_)), "no look-around: it is not linear");
        assert!(
            matches!(error(r"(a)\1"), PatternError::Syntax(_)),
            "no back-references: they are not linear"
        );
        assert_eq!(error(r"\w{200}"), PatternError::TooLarge);
        assert_eq!(error("((((a{100}){100}){100}){100})"), PatternError::TooLarge);
        assert!(matches!(error(&"(".repeat(10_000)), PatternError::Syntax(_)));
    }
}
