//! `Mcp-Param-*`: arguments that a tool's schema wants mirrored in headers.

use http::{HeaderMap, HeaderName};
use json::{Node, Value};

use super::{PARAM_PREFIX, mirror, single};
use crate::{Malformed, ToolCall};

/// Nesting of `properties` that is still looked through.
const MAX_NESTING: usize = 32;

/// The arguments of one tool that its schema wants mirrored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParamHeaders {
    mirrored: Vec<(HeaderName, Vec<String>)>,
}

impl ParamHeaders {
    /// Finds the `x-mcp-header` marks of an `inputSchema`: those reached through `properties` alone. A schema whose marks
    /// are not well formed mirrors nothing, for clients must not offer such a tool.
    pub fn of(schema: &serde_json::Value) -> Self {
        let mut found = Self::default();
        if found.collect(schema, &mut Vec::new()).is_none() {
            return Self::default();
        }
        found
    }

    /// Nothing if a mark is not well formed.
    fn collect(&mut self, schema: &serde_json::Value, path: &mut Vec<String>) -> Option<()> {
        let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) else {
            return Some(());
        };
        if path.len() == MAX_NESTING {
            return None;
        }
        for (name, schema) in properties {
            path.push(name.clone());
            if let Some(mark) = schema.get("x-mcp-header") {
                let mark = mark.as_str().filter(|mark| !mark.is_empty())?;
                let header = HeaderName::try_from(format!("{PARAM_PREFIX}{mark}")).ok()?;
                if self.mirrored.iter().any(|(known, _)| *known == header) {
                    return None;
                }
                self.mirrored.push((header, path.clone()));
            }
            self.collect(schema, path)?;
            path.pop();
        }
        Some(())
    }

    /// Holds the `Mcp-Param-*` headers against the arguments. For modern calls only.
    ///
    /// # Errors
    /// 400 `-32020`: missing, repeated, not decodable, different, or there without an argument.
    pub fn check(&self, headers: &HeaderMap, call: &ToolCall<'_>) -> Result<(), Malformed> {
        for (name, path) in &self.mirrored {
            let argument = call
                .arguments
                .and_then(|arguments| path.iter().try_fold(arguments, |value, key| value.get(key)))
                .filter(|argument| !argument.is_null());
            match (single(headers, name)?, argument) {
                (None, None) => {}
                (None, Some(_)) => return Err(mirror::missing(name)),
                (Some(header), Some(argument)) if says(&mirror::decode(name, header)?, argument) => {}
                (Some(_), _) => return Err(mirror::different(name)),
            }
        }
        Ok(())
    }
}

/// Whether the text of a header stands for this value. Numbers compare as numbers: `42.0` is 42.
fn says(header: &str, value: &Value<'_>) -> bool {
    match &value.node {
        Node::String(text) => header == text,
        Node::Bool(truth) => header == if *truth { "true" } else { "false" },
        Node::Number(_) => json::parse(header.as_bytes(), 1)
            .is_ok_and(|number| number.as_number().is_some() && number.equals(value)),
        Node::Null | Node::Array(_) | Node::Object(_) => false,
    }
}
