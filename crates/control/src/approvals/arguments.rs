//! The arguments of a call as the person is shown them who decides about it: JSON with a line for each value, secrets masked, and
//! nothing in it that a screen would hide or reorder.

use std::fmt;
use std::fmt::Write as _;

use json::{Node, Value};
use serde::Serialize;
use serde_json::Value as Schema;
use utoipa::ToSchema;

use super::schema::Place;
use crate::Error;

/// What stands for a value that is masked.
const MASK: &str = "\"•••\"";

/// The arguments of a call that waits. Printing one for debugging shows nothing of them.
#[derive(Clone, Serialize, ToSchema)]
pub struct ShownArguments {
    /// JSON, indented. Characters that a screen would hide or reorder are escaped; values that are masked are `"•••"`.
    pub text: String,
    /// Where values are masked, as JSON Pointers: what the tool's schema calls a password or write-only, or whose key says that it
    /// is a secret.
    #[schema(example = json!(["/api_key"]))]
    pub masked: Vec<String>,
}

impl fmt::Debug for ShownArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownArguments").field("masked", &self.masked.len()).finish_non_exhaustive()
    }
}

impl ShownArguments {
    /// Of the canonical text that was sealed, which is empty where the call has no arguments; held against the tool's schema.
    pub(super) fn of(canonical: &[u8], schema: Option<&Schema>) -> Result<Option<Self>, Error> {
        if canonical.is_empty() {
            return Ok(None);
        }
        // The error has a place, and nothing of the text.
        let value = json::parse(canonical, json::MAX_DEPTH)
            .map_err(|error| Error::internal(format!("sealed arguments are no JSON at {}", error.offset)))?;
        let mut writer = Writer { text: String::new(), masked: Vec::new(), pointer: String::new(), depth: 0 };
        writer.value(&value, &Place::root(schema));
        Ok(Some(Self { text: writer.text, masked: writer.masked }))
    }
}

struct Writer {
    text: String,
    masked: Vec<String>,
    /// Where we are.
    pointer: String,
    depth: usize,
}

impl Writer {
    fn value(&mut self, value: &Value<'_>, place: &Place<'_>) {
        match &value.node {
            Node::Null => self.text.push_str("null"),
            Node::Bool(truth) => self.text.push_str(if *truth { "true" } else { "false" }),
            Node::Number(number) => self.text.push_str(&number.canonical()),
            Node::String(string) => quoted(string, &mut self.text),
            Node::Array(elements) => {
                self.list('[', ']', elements, |writer, element, at| {
                    writer.under(&at.to_string(), element, &place.element(at));
                });
            }
            Node::Object(object) => {
                self.list('{', '}', object.members(), |writer, member, _| {
                    quoted(&member.key, &mut writer.text);
                    writer.text.push_str(": ");
                    let below = place.member(&member.key);
                    writer.under(&member.key, &member.value, &below);
                });
            }
        }
    }

    fn list<T>(&mut self, open: char, close: char, items: &[T], mut write: impl FnMut(&mut Self, &T, usize)) {
        self.text.push(open);
        self.depth += 1;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text.push(',');
            }
            self.line();
            write(self, item, at);
        }
        self.depth -= 1;
        if !items.is_empty() {
            self.line();
        }
        self.text.push(close);
    }

    fn line(&mut self) {
        self.text.push('\n');
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
    }

    /// The value at `step` from here, or its mask.
    fn under(&mut self, step: &str, value: &Value<'_>, place: &Place<'_>) {
        let before = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        if place.is_secret() {
            self.text.push_str(MASK);
            self.masked.push(self.pointer.clone());
        } else {
            self.value(value, place);
        }
        self.pointer.truncate(before);
    }
}

/// A string of JSON in which every character can be seen.
fn quoted(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            unseen if is_unseen(unseen) => {
                for unit in unseen.encode_utf16(&mut [0; 2]) {
                    // Writing to a string can't fail.
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            seen => text.push(seen),
        }
    }
    text.push('"');
}

/// Characters that are drawn as nothing, or change how others are drawn: control characters, those of Unicode's property
/// `Default_Ignorable_Code_Point`, line separators, and spaces that are not the usual one.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(arguments: &str, schema: &Schema) -> ShownArguments {
        ShownArguments::of(arguments.as_bytes(), Some(schema)).unwrap().unwrap()
    }

    #[test]
    fn each_value_has_its_line() {
        let shown = shown(r#"{"a":[],"b":{"c":[1,2.50,"x"]},"d":{},"e":null,"f":true}"#, &json!({}));
        let lines = "{\n  \"a\": [],\n  \"b\": {\n    \"c\": [\n      1,\n      2.5,\n      \"x\"\n    ]\n  },\n  \"d\": {},\n  \"e\": null,\n  \"f\": true\n}";
        assert_eq!((shown.text.as_str(), shown.masked.len()), (lines, 0));
        assert!(ShownArguments::of(b"", None).unwrap().is_none());
    }

    #[test]
    fn what_a_screen_would_hide_is_written_out() {
        let text = "{\"to\":\"a\u{202e}b\u{200b}\u{a0}\u{e0041}\u{1}\",\"b\u{2066}\":\"naïve – 東京 😀\"}";
        let shown = shown(text.replace('\u{1}', "\\u0001").as_str(), &json!({})).text;
        assert!(shown.contains(r#""a\u202eb\u200b\u00a0\udb40\udc41\u0001""#), "{shown}");
        assert!(shown.contains(r#""b\u2066": "naïve – 東京 😀""#), "{shown}");
        // What is shown is still the same JSON.
        let again: Schema = serde_json::from_str(&shown).unwrap();
        assert_eq!(again["to"], "a\u{202e}b\u{200b}\u{a0}\u{e0041}\u{1}");
    }

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let schema = json!({
            "properties": {
                "pin": { "type": "string", "format": "password" },
                "rows": { "items": { "properties": { "code": { "writeOnly": true } } } },
            }
        });
        let arguments =
            r#"{"code":"seen","pin":"1234","rows":[{"code":"5678"}],"x/y":{"API-Key":{"a":"k9"}}}"#;
        let shown = shown(arguments, &schema);
        assert_eq!(shown.masked, ["/pin", "/rows/0/code", "/x~1y/API-Key"]);
        for secret in ["1234", "5678", "k9"] {
            assert!(!shown.text.contains(secret), "{}", shown.text);
        }
        assert!(shown.text.contains("seen") && shown.text.contains(r#""pin": "•••""#), "{}", shown.text);
        assert!(!format!("{shown:?}").contains("seen"));
    }
}
