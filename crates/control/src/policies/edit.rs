//! Edits of a JSON text in place: what is not touched keeps its spaces, its order and its numbers to the last digit.

use json::{Node, Span, Value};

/// The nesting that a policy may have.
pub(super) const DEPTH: usize = 32;
/// Characters from which on the only part of an object or list gets a line of its own.
pub(super) const LONG: usize = 48;

/// A JSON text under edit. Operations on what is not there leave it as it is.
pub(super) struct Edit {
    text: String,
}

impl Edit {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned() }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The text of the value at this path of keys and indices.
    pub(super) fn raw(&self, path: &[&str]) -> Option<String> {
        self.at(path, |value| self.text.get(range(value.span)).map(str::to_owned)).flatten()
    }

    /// Sets a key of the object at `path` to a JSON text.
    pub(super) fn set(&mut self, path: &[&str], key: &str, value: &str) {
        let member = format!("{}: {value}", quoted(key));
        let change = self.at(path, |object| {
            let members = object.as_object()?.members();
            if let Some(member) = members.iter().find(|member| member.key == key) {
                return Some((range(member.value.span), value.to_owned()));
            }
            Some(match members.last() {
                Some(last) => self.behind(last.value.span, last.key_span, &member),
                None => self.only(object.span, ['{', '}'], &member, path.len() < 2 || member.len() > LONG),
            })
        });
        self.apply(change.flatten());
    }

    /// Puts a JSON text in the place of the value at `path`.
    pub(super) fn replace(&mut self, path: &[&str], value: &str) {
        let change = self.at(path, |old| (range(old.span), value.to_owned()));
        self.apply(change);
    }

    /// Takes a key out of the object at `path`.
    pub(super) fn remove(&mut self, path: &[&str], key: &str) {
        let change = self.at(path, |object| {
            let members = object.as_object()?.members();
            let at = members.iter().position(|member| member.key == key)?;
            let whole = |i: usize| Some(Span { end: members.get(i)?.value.span.end, ..members[i].key_span });
            Some(cut(object.span, "{}", at, whole))
        });
        self.apply(change.flatten());
    }

    /// Adds a text to the list at `path`.
    pub(super) fn push(&mut self, path: &[&str], text: &str) {
        self.insert(path, usize::MAX, &quoted(text));
    }

    /// Adds a JSON text to the list at `path`, before the element that stands at `at`, or else at its end.
    pub(super) fn insert(&mut self, path: &[&str], at: usize, value: &str) {
        let change = self.at(path, |list| {
            let elements = list.as_array()?;
            Some(match (elements.get(at), elements.last()) {
                (Some(next), _) => self.before(next.span, value),
                (None, Some(last)) => self.behind(last.span, last.span, value),
                (None, None) => self.only(list.span, ['[', ']'], value, value.len() > LONG),
            })
        });
        self.apply(change.flatten());
    }

    /// Takes the element at `at` out of the list at `path`.
    pub(super) fn take(&mut self, path: &[&str], at: usize) {
        let change = self.at(path, |list| {
            let elements = list.as_array()?;
            elements.get(at)?;
            Some(cut(list.span, "[]", at, |i| elements.get(i).map(|element| element.span)))
        });
        self.apply(change.flatten());
    }

    /// The white space that the line begins with on which the value at `path` begins.
    pub(super) fn indent(&self, path: &[&str]) -> String {
        self.at(path, |value| self.indent_at(value.span).to_owned()).unwrap_or_default()
    }

    /// Whether the list at `path` has this text.
    pub(super) fn lists(&self, path: &[&str], text: &str) -> bool {
        let has =
            |list: &Value<'_>| Some(list.as_array()?.iter().any(|element| element.as_str() == Some(text)));
        self.at(path, has).flatten().unwrap_or(false)
    }

    /// Takes a text out of the list at `path`, wherever it stands in it.
    pub(super) fn pull(&mut self, path: &[&str], text: &str) {
        loop {
            let change = self.at(path, |list| {
                let elements = list.as_array()?;
                let at = elements.iter().position(|element| element.as_str() == Some(text))?;
                Some(cut(list.span, "[]", at, |i| elements.get(i).map(|element| element.span)))
            });
            let Some(change) = change.flatten() else { return };
            self.apply(Some(change));
        }
    }

    fn at<T>(&self, path: &[&str], then: impl FnOnce(&Value<'_>) -> T) -> Option<T> {
        let document = json::parse(self.text.as_bytes(), DEPTH).ok()?;
        let found = path.iter().try_fold(&document, |value, key| match &value.node {
            Node::Object(object) => object.get(key),
            Node::Array(elements) => elements.get(key.parse::<usize>().ok()?),
            _ => None,
        })?;
        Some(then(found))
    }

    /// Behind the last one, with the space that stands in front of that; what stands close to its bracket gets a space.
    fn behind(&self, last: Span, begins: Span, new: &str) -> (std::ops::Range<usize>, String) {
        let before = &self.text[..begins.start as usize];
        let space = &before[before.trim_end().len()..];
        let space = if space.is_empty() && before.ends_with(['[', '{']) { " " } else { space };
        let end = last.end as usize;
        (end..end, format!(",{space}{new}"))
    }

    /// In front of the next one, with the space that stands in front of that.
    fn before(&self, next: Span, new: &str) -> (std::ops::Range<usize>, String) {
        let before = &self.text[..next.start as usize];
        let space = &before[before.trim_end().len()..];
        let start = next.start as usize;
        (start..start, format!("{new},{}", if space.is_empty() { " " } else { space }))
    }

    /// The only one of an empty object or list: on a line of its own where that is how such a text is written.
    fn only(
        &self,
        span: Span,
        [open, close]: [char; 2],
        new: &str,
        own_line: bool,
    ) -> (std::ops::Range<usize>, String) {
        if !own_line {
            return (range(span), format!("{open} {new} {close}"));
        }
        let indent = self.indent_at(span);
        (range(span), format!("{open}\n{indent}  {new}\n{indent}{close}"))
    }

    fn indent_at(&self, span: Span) -> &str {
        let before = &self.text[..span.start as usize];
        let line = before.rsplit('\n').next().unwrap_or_default();
        &line[..line.len() - line.trim_start().len()]
    }

    fn apply(&mut self, change: Option<(std::ops::Range<usize>, String)>) {
        if let Some((range, text)) = change {
            self.text.replace_range(range, &text);
        }
    }
}

/// What takes the part at `at` out, with one comma; `empty` is what is left of an only one.
fn cut(
    whole: Span,
    empty: &str,
    at: usize,
    part: impl Fn(usize) -> Option<Span>,
) -> (std::ops::Range<usize>, String) {
    let this = part(at).unwrap_or_default();
    let before = at.checked_sub(1).and_then(&part);
    match (before, part(at + 1)) {
        (Some(before), _) => (before.end as usize..this.end as usize, String::new()),
        (None, Some(next)) => (this.start as usize..next.start as usize, String::new()),
        (None, None) => (range(whole), empty.to_owned()),
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}

/// A text as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, edit: impl FnOnce(&mut Edit)) -> String {
        let mut under_edit = Edit::new(text);
        edit(&mut under_edit);
        under_edit.into_text()
    }

    #[test]
    fn a_key_is_set_where_it_stands_or_behind_the_last() {
        assert_eq!(edited(r#"{"a": 1.10, "b": 2}"#, |e| e.set(&[], "b", "[]")), r#"{"a": 1.10, "b": []}"#);
        assert_eq!(
            edited("{\n  \"a\": {\n    \"x\": 1\n  }\n}", |e| e.set(&["a"], "y", "2")),
            "{\n  \"a\": {\n    \"x\": 1,\n    \"y\": 2\n  }\n}"
        );
        assert_eq!(edited(r#"{"a":{}}"#, |e| e.set(&["a"], "b", "1")), "{\"a\":{\n  \"b\": 1\n}}");
        assert_eq!(
            edited(r#"{"a":{"b":{}}}"#, |e| e.set(&["a", "b"], "c", "1")),
            r#"{"a":{"b":{ "c": 1 }}}"#
        );
    }

    #[test]
    fn a_key_is_taken_out_with_its_comma() {
        let text = r#"{"a": 1, "b": 2, "c": 3}"#;
        assert_eq!(edited(text, |e| e.remove(&[], "a")), r#"{"b": 2, "c": 3}"#);
        assert_eq!(edited(text, |e| e.remove(&[], "b")), r#"{"a": 1, "c": 3}"#);
        assert_eq!(edited(text, |e| e.remove(&[], "c")), r#"{"a": 1, "b": 2}"#);
        assert_eq!(edited(r#"{"a": { "b": 1 }}"#, |e| e.remove(&["a"], "b")), r#"{"a": {}}"#);
        assert_eq!(edited(text, |e| e.remove(&[], "d")), text);
    }

    #[test]
    fn a_list_gets_and_loses_texts() {
        assert_eq!(edited(r#"{"l": []}"#, |e| e.push(&["l"], "x")), r#"{"l": [ "x" ]}"#);
        assert_eq!(edited(r#"{"l": ["a", "b"]}"#, |e| e.push(&["l"], "x")), r#"{"l": ["a", "b", "x"]}"#);
        assert_eq!(edited(r#"{"l": ["x", "a", "x"]}"#, |e| e.pull(&["l"], "x")), r#"{"l": ["a"]}"#);
        assert_eq!(edited(r#"{"l": ["x"]}"#, |e| e.pull(&["l"], "x")), r#"{"l": []}"#);
    }

    #[test]
    fn a_list_gets_and_loses_elements_anywhere() {
        let text = r#"{"l": [1, {"a": 2}]}"#;
        assert_eq!(edited(text, |e| e.insert(&["l"], 0, "0")), r#"{"l": [0, 1, {"a": 2}]}"#);
        assert_eq!(edited(text, |e| e.insert(&["l"], 1, "0")), r#"{"l": [1, 0, {"a": 2}]}"#);
        assert_eq!(edited(text, |e| e.insert(&["l"], 2, "0")), r#"{"l": [1, {"a": 2}, 0]}"#);
        assert_eq!(edited(text, |e| e.take(&["l"], 0)), r#"{"l": [{"a": 2}]}"#);
        assert_eq!(edited(text, |e| e.take(&["l"], 2)), text);
        assert_eq!(edited(text, |e| e.set(&["l", "1"], "a", "3")), r#"{"l": [1, {"a": 3}]}"#);
        assert_eq!(edited(text, |e| e.replace(&["l", "1"], "[]")), r#"{"l": [1, []]}"#);
        let long = "x".repeat(LONG);
        assert_eq!(
            edited("{\n  \"l\": []\n}", |e| e.push(&["l"], &long)),
            format!("{{\n  \"l\": [\n    \"{long}\"\n  ]\n}}")
        );
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(edited(r#"{"l": []}"#, |e| e.push(&["l"], "a\"\\\n")), r#"{"l": [ "a\"\\\n" ]}"#);
    }
}
