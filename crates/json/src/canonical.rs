//! One text per value: equal values have the same, whatever their spelling.

use std::fmt::Write as _;

use crate::value::{Node, Value};

impl Value<'_> {
    /// Sorted keys, no white space, numbers without needless digits. Equal values give the same text, unequal ones never.
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        write_value(self, &mut text);
        text
    }
}

fn write_value(value: &Value<'_>, text: &mut String) {
    match &value.node {
        Node::Null => text.push_str("null"),
        Node::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Node::Number(number) => text.push_str(&number.canonical()),
        Node::String(string) => write_string(string, text),
        Node::Array(elements) => {
            text.push('[');
            for (i, element) in elements.iter().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                write_value(element, text);
            }
            text.push(']');
        }
        Node::Object(object) => {
            text.push('{');
            for (i, member) in object.sorted().enumerate() {
                text.push_str(if i > 0 { "," } else { "" });
                write_string(&member.key, text);
                text.push(':');
                write_value(&member.value, text);
            }
            text.push('}');
        }
    }
}

/// Escapes what must be (RFC 8259, 7) and nothing else.
fn write_string(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\0'..='\x1f' => {
                // Writing to a string can't fail.
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text.push('"');
}
