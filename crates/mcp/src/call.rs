//! A `tools/call`, read for the policy.

use http::StatusCode;
use json::Value;

use crate::{Era, Malformed, Request};

/// What a `tools/call` asks for.
#[derive(Debug, Clone, Copy)]
pub struct ToolCall<'a> {
    /// The tool, byte for byte as sent.
    pub name: &'a str,
    /// The arguments: an object. Null counts as absent.
    pub arguments: Option<&'a Value<'a>>,
    /// Legacy: the caller wants a task instead of a result (`params.task`), so that a refusal must be an error, never a tool
    /// result.
    pub task_augmented: bool,
}

impl<'a> ToolCall<'a> {
    /// Reads the parameters of a `tools/call`.
    ///
    /// # Errors
    /// `-32602`, with 400 in the modern era and 200 in the legacy: no name, a name that is no text or is empty, arguments
    /// or a `task` that are no object.
    pub fn read(request: &'a Request<'a>) -> Result<Self, Malformed> {
        let refused = |reason, message| {
            let status = match request.era {
                Era::Modern => StatusCode::BAD_REQUEST,
                Era::Legacy => StatusCode::OK,
            };
            Malformed::params(reason, message).status(status).for_id(Some(request.id.clone()))
        };
        let name = request
            .param("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| refused("tool name", "`params.name` must be the name of a tool"))?;
        let arguments = request.param("arguments").filter(|arguments| !arguments.is_null());
        if arguments.is_some_and(|arguments| arguments.as_object().is_none()) {
            return Err(refused("arguments", "`params.arguments` must be an object"));
        }
        // Servers of the modern era ignore `task`.
        let task = request.param("task").filter(|_| request.era == Era::Legacy);
        if task.is_some_and(|task| task.as_object().is_none()) {
            return Err(refused("task", "`params.task` must be an object"));
        }
        let task_augmented = task.is_some();
        Ok(Self { name, arguments, task_augmented })
    }

    /// The answer of a server that has no such tool.
    pub fn unknown(&self, request: &Request<'_>) -> Malformed {
        Malformed::params("tool name", format!("Unknown tool: {}", self.name))
            .status(StatusCode::OK)
            .for_id(Some(request.id.clone()))
    }
}
