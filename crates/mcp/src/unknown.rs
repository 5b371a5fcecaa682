//! What a server says of a tool that it does not have, learnt from a call of a name that no server has, to be said of a tool that is
//! hidden. Servers say it in many ways: an error or a result, with other codes, words and forms.

use http::StatusCode;
use json::Value;
use serde_json::json;

use crate::edit::json_text;
use crate::envelope::{META_CAPABILITIES, META_CLIENT, META_VERSION};
use crate::sse::Event;
use crate::{Era, Id, Version, code};

/// Bytes of an answer that is learnt from: a longer one says more than that there is no such tool.
pub const MAX_ANSWER: usize = 4 * 1024;

/// What the names begin with that no server has.
const STEM: &str = "tollgate_no_such_tool";

/// A name that no server has. `random` is of digits and small letters, enough of them that nobody meets it twice.
pub fn name(random: &str) -> String {
    format!("{STEM}_{random}")
}

/// A call of that name, without arguments, whose id is the name too.
pub fn call(name: &str, version: Version) -> Vec<u8> {
    let mut params = json!({ "name": name, "arguments": {} });
    if version.era() == Era::Modern {
        params["_meta"] = json!({
            META_VERSION: version.as_str(),
            META_CLIENT: { "name": "tollgate", "version": env!("CARGO_PKG_VERSION") },
            META_CAPABILITIES: {},
        });
    }
    json!({ "jsonrpc": "2.0", "id": name, "method": "tools/call", "params": params }).to_string().into_bytes()
}

/// A server's own form of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownTool {
    status: StatusCode,
    is_error: bool,
    /// The event that carries it, where the server answers with events.
    event: Option<Event>,
    parts: Vec<Part>,
}

/// A piece of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Id,
    Name,
}

/// An answer to [`call`].
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its HTTP status.
    pub status: StatusCode,
    /// Its body, or the data of the event that has it.
    pub body: &'a [u8],
    /// That event.
    pub event: Option<&'a Event>,
}

impl UnknownTool {
    /// Learns it from the answer to a call of `name`. Nothing where the answer is another, or would tell more if it were said of other tools:
    /// it has one of the words in `secret` (other tools' names, a session), or a part of our name.
    pub fn learn<'s>(
        answer: &Answer<'_>,
        name: &str,
        era: Era,
        mut secret: impl Iterator<Item = &'s str>,
    ) -> Option<Self> {
        let Answer { status, body, event } = *answer;
        let text = std::str::from_utf8(body).ok().filter(|_| body.len() <= MAX_ANSWER)?;
        let message = json::parse(body, json::MAX_DEPTH).ok()?;
        let id = message.get("id").filter(|id| id.as_str() == Some(name))?.span;
        let is_error = refuses(&message, text.matches(name).count() > 1)?;
        // The status of a modern error says what it is; any other that is no success is about the request as a whole.
        let stateless = era == Era::Modern && is_error;
        let of_error = stateless && matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND);
        if status != StatusCode::OK && !of_error {
            return None;
        }
        let mut parts = places(text.get(..id.start as usize)?, name);
        parts.push(Part::Id);
        parts.extend(places(text.get(id.end as usize..)?, name));
        let said = parts.iter().map(Part::text).collect::<Vec<_>>().join("\n");
        if said.to_lowercase().contains(STEM) || secret.any(|word| stands_in(&said, word)) {
            return None;
        }
        Some(Self { status, is_error, event: event.map(Event::without_id), parts })
    }

    /// Whether it is a JSON-RPC error, and no result.
    pub fn is_error(&self) -> bool {
        self.is_error
    }

    /// The HTTP status, whether the body is an event stream, and the body that says it of this tool.
    pub fn of(&self, id: &Id, tool: &str) -> (StatusCode, bool, Vec<u8>) {
        let (id, tool) = (id.to_json().to_string(), json_text(tool));
        let tool = tool.get(1..tool.len() - 1).unwrap_or_default();
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => text,
            Part::Id => &id,
            Part::Name => tool,
        });
        let body = parts.collect::<String>().into_bytes();
        match &self.event {
            Some(event) => (self.status, true, event.with_data(&body).into()),
            None => (self.status, false, body),
        }
    }
}

impl Part {
    fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Id | Self::Name => "",
        }
    }
}

/// Whether an answer is an error, if it says of a tool that there is none: by naming it, or in a way that means little else.
fn refuses(message: &Value<'_>, named: bool) -> Option<bool> {
    match (message.get("result"), message.get("error")) {
        (Some(result), None) => {
            let failed = result.get("isError").and_then(Value::as_bool) == Some(true);
            let kind = result.get("resultType").map(Value::as_str);
            (failed && kind.is_none_or(|kind| kind == Some("complete"))).then_some(false)
        }
        (None, Some(error)) => {
            let code: i32 = error.get("code")?.as_number()?.text().parse().ok()?;
            (named || [code::INVALID_PARAMS, code::METHOD_NOT_FOUND].contains(&code)).then_some(true)
        }
        _ => None,
    }
}

/// A text, with the places where the name stands.
fn places(text: &str, name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (at, between) in text.split(name).enumerate() {
        if at > 0 {
            parts.push(Part::Name);
        }
        parts.push(Part::Text(between.to_owned()));
    }
    parts
}

/// Whether a word stands in a text as a whole.
fn stands_in(text: &str, word: &str) -> bool {
    let of_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let behind = text[at + word.len()..].chars().next();
            !before.is_some_and(of_word) && !behind.is_some_and(of_word)
        })
}
