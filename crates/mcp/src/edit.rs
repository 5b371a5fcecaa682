//! Changes to a JSON text that leave every byte alone which they don't change: numbers keep their digits, unknown members
//! and their order stay.

use json::{Span, Value};

/// Changes to one text, made in one pass.
#[derive(Default)]
pub struct Edits(Vec<(Span, Vec<u8>)>);

impl Edits {
    /// Puts JSON in the place of a value.
    pub fn replace(&mut self, place: Span, json: impl Into<Vec<u8>>) {
        self.0.push((place, json.into()));
    }

    /// Sets a member of an object, which gets it at its end if it has none of that key.
    pub fn set(&mut self, object: &Value<'_>, key: &str, json: &str) {
        let Some(members) = object.as_object() else { return };
        if let Some(value) = members.get(key) {
            return self.replace(value.span, json);
        }
        let comma = if members.is_empty() { "" } else { "," };
        let end = object.span.end.saturating_sub(1);
        let key = json_text(key);
        self.replace(Span { start: end, end }, format!("{comma}{key}:{json}"));
    }

    /// Takes the elements out of an array that are not to be kept.
    pub fn retain_elements(&mut self, array: &Value<'_>, keep: impl Fn(&Value<'_>) -> bool) {
        let elements = array.as_array().unwrap_or_default();
        self.retain(array.span, elements.iter().map(|element| (element.span, keep(element))));
    }

    /// Takes the members out of an object that are not to be kept.
    pub fn retain_members(&mut self, object: &Value<'_>, keep: impl Fn(&str) -> bool) {
        let members = object.as_object().map(json::Object::members).unwrap_or_default();
        let spans = members.iter().map(|member| {
            (Span { start: member.key_span.start, end: member.value.span.end }, keep(&member.key))
        });
        self.retain(object.span, spans);
    }

    /// Removes children of a container, each with the comma before it, or behind it where none is kept before.
    fn retain(&mut self, container: Span, children: impl Iterator<Item = (Span, bool)>) {
        let mut children = children.peekable();
        let mut last_end = None;
        let mut kept_one = false;
        while let Some((child, keep)) = children.next() {
            if keep {
                kept_one = true;
            } else {
                let next = children.peek().map_or(container.end.saturating_sub(1), |(next, _)| next.start);
                let gap = match last_end {
                    Some(start) if kept_one => Span { start, end: child.end },
                    _ => Span { start: child.start, end: next },
                };
                self.replace(gap, "");
            }
            last_end = Some(child.end);
        }
    }

    /// The changed text; nothing if there is no change.
    pub fn apply(mut self, text: &[u8]) -> Option<Vec<u8>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.sort_by_key(|(place, _)| (place.start, place.end));
        let mut changed = Vec::with_capacity(text.len() + 64);
        let mut at = 0;
        for (place, json) in &self.0 {
            changed.extend_from_slice(Span { start: at, end: place.start }.of(text));
            changed.extend_from_slice(json);
            at = place.end;
        }
        changed.extend_from_slice(text.get(at as usize..).unwrap_or_default());
        Some(changed)
    }
}

/// A text as JSON.
pub fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
