//! A verdict as the page shows it: in a sentence, with what decided and the lines around it.

use control::SimulationResult;
use domain::Outcome;

use crate::view::filters;
use crate::view::lines::{Line, excerpt};

/// Lines shown around what decided.
const AROUND: usize = 2;
/// Lines that are shown of it at most; the whole document is below.
const MOST: usize = 24;

/// The verdict on a call.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub result: SimulationResult,
    /// What decided, in its place.
    pub excerpt: Vec<Line>,
    /// The conditions that decided, as they are written.
    pub conditions: Vec<Condition>,
}

/// A condition of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Its place.
    pub pointer: String,
    /// Its JSON.
    pub text: String,
}

impl Verdict {
    /// The verdict of this document.
    pub fn of(result: SimulationResult, document: &str) -> Self {
        let mut lines =
            result.pointer.as_ref().map(|rule| excerpt(document, rule, AROUND)).unwrap_or_default();
        lines.truncate(MOST);
        let conditions = conditions(&result.conditions, document);
        Self { excerpt: lines, conditions, result }
    }

    /// What would become of the call.
    pub fn sentence(&self) -> String {
        if let Some(message) = self.result.message.as_ref().filter(|_| self.result.outcome != Outcome::Hidden)
        {
            return message.clone();
        }
        match self.result.outcome {
            Outcome::Hidden => {
                "the tool is not listed, and who calls it is told that there is no such tool".to_owned()
            }
            _ => "the call would go through to the upstream".to_owned(),
        }
    }

    /// What rules in shadow mode would have done.
    pub fn shadow(&self) -> Option<String> {
        let shadow = self.result.shadow.as_ref()?;
        let (outcome, rule) = (shadow.outcome, &shadow.rule);
        Some(format!("in shadow mode; enforced, it would be `{outcome}` by `{rule}`: {}", shadow.message))
    }

    /// How long a person has to approve it: `1 h`, `90 min`.
    pub fn expires(&self) -> Option<String> {
        self.result.expires_in.map(filters::span)
    }
}

fn conditions(pointers: &[String], document: &str) -> Vec<Condition> {
    let Ok(root) = json::parse(document.as_bytes(), json::MAX_DEPTH) else { return Vec::new() };
    let written = |pointer: &String| {
        let text = root.pointer(pointer)?.span.of(document.as_bytes());
        // No text of JSON has a line end in it: what is cut off is between its values.
        let text = String::from_utf8_lossy(text).lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Some(Condition { pointer: pointer.clone(), text })
    };
    pointers.iter().filter_map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_shown_as_they_are_written() {
        let document =
            "{ \"require\": [ { \"path\": \"args.a\",\n   \"op\": \"eq\", \"value\": \"a  b\" } ] }";
        let found = conditions(&["/require/0".to_owned(), "/gone".to_owned()], document);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].text, r#"{ "path": "args.a", "op": "eq", "value": "a  b" }"#);
    }
}
