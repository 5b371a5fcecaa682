//! What is judged: a call, who makes it, and what is known of the tool.

use crate::arguments::ArgumentSchema;

/// A call to judge.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The tool's name, exact bytes.
    pub tool: &'a str,
    /// `params.arguments`, where there are any.
    pub arguments: Option<&'a json::Value<'a>>,
    /// Who calls, and what.
    pub context: Context<'a>,
    /// What is known of the tool.
    pub state: ToolState<'a>,
}

/// What a path can name besides the arguments. `None` is missing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// `grant.label`.
    pub grant_label: Option<&'a str>,
    /// `grant.identity`.
    pub grant_identity: Option<&'a str>,
    /// `client.name`: what the client says of itself.
    pub client_name: Option<&'a str>,
    /// `client.version`: what the client says of itself.
    pub client_version: Option<&'a str>,
    /// `server.name`.
    pub server_name: Option<&'a str>,
}

/// What is known of the called tool.
#[derive(Debug, Clone, Copy, Default)]
pub struct ToolState<'a> {
    /// The server's tools are pinned, and this one's definition is not the approved one.
    pub changed: bool,
    /// The compiled `inputSchema` last seen from the upstream.
    pub schema: Option<&'a ArgumentSchema>,
}
