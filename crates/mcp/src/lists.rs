//! `tools/list` answers without the tools that a policy hides. Everything else stays byte for byte: order, cursors, schemas,
//! numbers, unknown members.

use json::Value;

use crate::edit::Edits;
use crate::{Era, Unreadable, server};

/// How a list is filtered.
#[derive(Clone, Copy)]
pub struct Filter<'a> {
    /// Modern answers are marked private and their `ttlMs` is capped.
    pub era: Era,
    /// The longest time that a client may keep the answer, in milliseconds.
    pub max_ttl_ms: u64,
    /// Whether a tool of this name is shown.
    pub shows: &'a dyn Fn(&str) -> bool,
}

impl Filter<'_> {
    /// Filters one message (or array of them) of the upstream: an HTTP body, or the data of one event. Nothing if it
    /// may pass as it is. Any `result` with a list `tools` is filtered, whatever it answers: the replay of a stream does
    /// not say which request it answers.
    ///
    /// # Errors
    /// [`Unreadable`]: answer with an error instead.
    pub fn apply(&self, body: &[u8]) -> Result<Option<Vec<u8>>, Unreadable> {
        let value = server::parse(body)?;
        let mut edits = Edits::default();
        for result in server::messages(&value).iter().filter_map(|message| message.get("result")) {
            self.edit(result, &mut edits);
        }
        Ok(edits.apply(body))
    }

    /// Filters a result, if it has a list `tools`.
    pub(crate) fn edit(&self, result: &Value<'_>, edits: &mut Edits) {
        let Some(tools) = result.get("tools") else { return };
        if tools.as_array().is_some() {
            // A tool without a name can't be called, and nobody can say whether it is hidden.
            edits.retain_elements(tools, |tool| {
                tool.get("name").and_then(Value::as_str).is_some_and(|name| (self.shows)(name))
            });
        } else {
            edits.replace(tools.span, "[]");
        }
        if self.era == Era::Modern {
            keep_private(result, self.max_ttl_ms, edits);
        }
    }
}

/// Marks a cacheable result as one caller's own, and no older than a policy may be. What is not a time becomes 0.
pub(crate) fn keep_private(result: &Value<'_>, max_ttl_ms: u64, edits: &mut Edits) {
    let stated =
        result.get("ttlMs").and_then(Value::as_number).and_then(|number| number.text().parse::<u64>().ok());
    let ttl = stated.unwrap_or(0).min(max_ttl_ms);
    if stated != Some(ttl) {
        edits.set(result, "ttlMs", &ttl.to_string());
    }
    if result.get("cacheScope").and_then(Value::as_str) != Some("private") {
        edits.set(result, "cacheScope", "\"private\"");
    }
}
