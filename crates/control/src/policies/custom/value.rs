//! What a condition compares with, as it is typed: a text needs no quotes and a list no brackets, where nothing else could be
//! meant.

use json::{Node, Value};

use super::super::edit::{DEPTH, quoted};

/// How an operator's value is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Typed {
    /// A text, whatever it looks like.
    Text,
    /// A list, with commas between its elements.
    List,
    /// JSON; what is none is a text.
    Any,
}

fn typed(op: &str) -> Typed {
    match op {
        "regex" | "not_regex" | "starts_with" | "ends_with" => Typed::Text,
        "in" | "not_in" | "url_host_in" => Typed::List,
        _ => Typed::Any,
    }
}

/// What stands in the field for a value that is written as `raw`. [`written`] makes the same value of it.
pub(super) fn shown(op: &str, raw: &str, value: &Value<'_>) -> String {
    match (typed(op), &value.node) {
        (Typed::Text, Node::String(text)) if fits(text) => text.clone().into_owned(),
        (Typed::Any, Node::String(text)) if fits(text) && !is_json(text) => text.clone().into_owned(),
        (_, Node::String(text)) => quoted(text),
        (Typed::List, Node::Array(elements)) => {
            let plain = |element: &Value<'_>| match &element.node {
                Node::String(text) if fits(text) && !is_json(text) && !text.contains([',', '[', ']']) => {
                    Some(text.clone().into_owned())
                }
                _ => None,
            };
            let words: Option<Vec<String>> = elements.iter().map(plain).collect();
            words.filter(|words| !words.is_empty()).map_or_else(|| one_line(raw), |words| words.join(", "))
        }
        _ => one_line(raw),
    }
}

/// The JSON that is meant by what is typed. Whether the operator takes it is for the reader to say.
pub(super) fn written(op: &str, text: &str) -> String {
    let text = text.trim();
    match typed(op) {
        Typed::Text if is_text(text) => text.to_owned(),
        Typed::List if is_json(text) && text.starts_with('[') => text.to_owned(),
        Typed::List => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            let words: Vec<String> =
                words.map(|word| if is_json(word) { word.to_owned() } else { quoted(word) }).collect();
            format!("[{}]", words.join(", "))
        }
        Typed::Any if is_json(text) => text.to_owned(),
        Typed::Text | Typed::Any => quoted(text),
    }
}

/// JSON where what is typed is JSON, else a text.
pub(super) fn json_or_text(typed: &str) -> String {
    let typed = typed.trim();
    if is_json(typed) { typed.to_owned() } else { quoted(typed) }
}

pub(super) fn is_json(text: &str) -> bool {
    json::parse(text.as_bytes(), DEPTH).is_ok()
}

fn is_text(text: &str) -> bool {
    json::parse(text.as_bytes(), DEPTH).is_ok_and(|value| value.as_str().is_some())
}

/// A text that a field can hold as it is, and that is not taken for a quoted one.
fn fits(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.starts_with('"') && !text.chars().any(char::is_control)
}

/// JSON without its line breaks, and the spaces that stand behind them: a field holds one line.
fn one_line(raw: &str) -> String {
    let mut line = String::with_capacity(raw.len());
    for part in raw.split(['\n', '\r']) {
        // A string of JSON has no line break in it.
        let part = if line.is_empty() { part } else { part.trim_start() };
        if !line.is_empty()
            && !line.ends_with(['[', '{', ' '])
            && !part.is_empty()
            && !part.starts_with([']', '}'])
        {
            line.push(' ');
        }
        line.push_str(part.trim_end());
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(op: &str, raw: &str) -> String {
        shown(op, raw, &json::parse(raw.as_bytes(), DEPTH).unwrap())
    }

    #[test]
    fn what_is_shown_is_plain_where_nothing_else_could_be_meant() {
        for (op, raw, text) in [
            ("eq", r#""EUR""#, "EUR"),
            ("eq", r#""5""#, r#""5""#),
            ("eq", "1.10", "1.10"),
            ("eq", r#""""#, r#""""#),
            ("regex", r#""^[0-9]+$""#, "^[0-9]+$"),
            ("regex", r#""5""#, "5"),
            ("regex", "\" a\\n\"", r#"" a\n""#),
            ("in", r#"["EUR", "USD"]"#, "EUR, USD"),
            ("in", "[\n  1,\n  \"a, b\"\n]", r#"[1, "a, b"]"#),
            ("in", "[]", "[]"),
            ("url_host_in", r#"["*.example.com"]"#, "*.example.com"),
            ("gt", "500", "500"),
            ("exists", "true", "true"),
        ] {
            assert_eq!(show(op, raw), text, "{op} {raw}");
            let (value, again) = (json::parse(raw.as_bytes(), DEPTH).unwrap(), written(op, text));
            assert!(json::parse(again.as_bytes(), DEPTH).unwrap().equals(&value), "{op} {raw}: {again}");
        }
    }

    #[test]
    fn what_is_typed_is_always_json() {
        for (op, typed, json) in [
            ("eq", "yes", r#""yes""#),
            ("eq", "true", "true"),
            ("eq", "{\"a\": 1}", "{\"a\": 1}"),
            ("eq", "{a", r#""{a""#),
            ("eq", "", r#""""#),
            ("gt", "ten", r#""ten""#),
            ("regex", "true", r#""true""#),
            ("regex", r#""a"b"#, r#""\"a\"b""#),
            ("in", "EUR, 5,", r#"["EUR", 5]"#),
            ("in", "", "[]"),
            ("in", "[a", r#"["[a"]"#),
        ] {
            assert_eq!(written(op, typed), json, "{op} {typed}");
            assert!(is_json(&written(op, typed)));
        }
    }
}
