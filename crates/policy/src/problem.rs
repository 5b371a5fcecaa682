//! What is wrong with a document, or odd about it.

use serde::Serialize;

/// Bytes of pointers and messages that one report holds: thousands of problems below a long key would multiply it.
const MAX_REPORT: usize = 1 << 20;

/// A problem (the document is refused) or a warning (it is saved all the same).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// JSON Pointer (RFC 6901) into the document as written.
    pub pointer: String,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// One stable word, as `unknown_field`.
    pub code: &'static str,
    /// A sentence that says how to mend it.
    pub message: String,
}

/// What is known of a tool of the server, to warn about a document.
#[derive(Debug, Clone, Copy)]
pub struct ToolFacts<'a> {
    /// The exact name.
    pub name: &'a str,
    /// Whether it destroys.
    pub destructive: bool,
    /// Whether it approves what waits for a human.
    pub approval: bool,
}

/// Problems as they are found; their lines are counted at the end, all at once.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: Vec<(u32, Problem)>,
    size: usize,
    full: bool,
}

impl Report {
    /// Takes down a problem at a byte of the text.
    pub(crate) fn add(&mut self, offset: u32, pointer: &str, code: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.size += pointer.len() + message.len();
        if self.size > MAX_REPORT {
            self.full = true;
            return;
        }
        self.found.push((offset, Problem { pointer: pointer.to_owned(), line: 0, column: 0, code, message }));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty() && !self.full
    }

    /// The problems in the order of the text.
    pub(crate) fn finish(mut self, text: &[u8]) -> Vec<Problem> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let mut places = Places::new(text);
        let place = |(offset, problem): (u32, Problem)| {
            let (line, column) = places.of(offset);
            Problem { line, column, ..problem }
        };
        let mut problems: Vec<Problem> = self.found.into_iter().map(place).collect();
        if self.full {
            let message = "there are more problems than can be listed: mend these first".into();
            problems.push(Problem {
                pointer: String::new(),
                line: 1,
                column: 1,
                code: "too_many_problems",
                message,
            });
        }
        problems
    }
}

/// Lines and columns of ascending offsets, counted in one pass.
pub(crate) struct Places<'t> {
    text: &'t [u8],
    offset: usize,
    line: u32,
    column: u32,
}

impl<'t> Places<'t> {
    pub(crate) fn new(text: &'t [u8]) -> Self {
        Self { text, offset: 0, line: 1, column: 1 }
    }

    /// The line and column of an offset, both from 1. Fast when no offset is smaller than the one before.
    pub(crate) fn of(&mut self, offset: u32) -> (u32, u32) {
        let offset = (offset as usize).min(self.text.len());
        if offset < self.offset {
            *self = Self::new(self.text);
        }
        for byte in &self.text[self.offset..offset] {
            match byte {
                b'\n' => (self.line, self.column) = (self.line + 1, 1),
                // The bytes that continue a character of UTF-8.
                0x80..=0xbf => {}
                _ => self.column += 1,
            }
        }
        self.offset = offset;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_agree_with_the_parser() {
        let text = "{\n  \"é\": 1,\r\n\n\"b\"".as_bytes();
        let mut places = Places::new(text);
        let offsets = (0..=text.len()).chain([3, 0, 9]);
        for offset in offsets {
            let expected = json::line_column(text, offset);
            let offset = u32::try_from(offset).expect("short");
            if text.get(offset as usize).is_none_or(|byte| !(0x80..=0xbf).contains(byte)) {
                assert_eq!(places.of(offset), (expected.line, expected.column), "{offset}");
            }
        }
    }

    #[test]
    fn a_report_is_bounded() {
        let mut report = Report::default();
        let pointer = "/".repeat(1000);
        for offset in 0..5000 {
            report.add(offset, &pointer, "code", "message");
        }
        let problems = report.finish(b"");
        assert!(problems.len() < 1100, "{}", problems.len());
        assert_eq!(problems.last().map(|problem| problem.code), Some("too_many_problems"));
    }
}
