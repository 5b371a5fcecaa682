//! A `tools/call`, read for the policy.

use std::borrow::Cow;

use crate::{Malformed, Request};

/// What a `tools/call` asks for.
#[derive(Debug)]
pub struct ToolCall<'a> {
    /// The tool, byte for byte as sent.
    pub name: Cow<'a, str>,
    /// The arguments: an object, if present.
    pub arguments: Option<&'a crate::json_soon::Value<'a>>,
    /// Legacy: the caller wants a task instead of a result (`params.task`), which the gateway does not let through.
    pub task_augmented: bool,
}

impl<'a> ToolCall<'a> {
    /// Reads the parameters of a `tools/call`.
    ///
    /// # Errors
    /// 400 `-32602`: no name, a name that is no text or is empty, arguments that are no object.
    pub fn read(request: &'a Request<'a>) -> Result<Self, Malformed> {
        unimplemented!("{request:?}")
    }
}
