//! What to tell an MCP client so that it calls through the gateway.

use serde::Serialize;
use utoipa::ToSchema;

/// A ready-made text for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClientConfiguration {
    /// `claude-code`, `cursor`, `vscode`, `json`, `curl`.
    pub id: &'static str,
    /// `Claude Code`.
    pub name: &'static str,
    /// What to do with the text: `Run once in a terminal`.
    pub hint: &'static str,
    /// `shell` or `json`.
    pub language: &'static str,
    /// The text, token included.
    pub text: String,
}

/// The texts for a server called `name` at this gateway address, with this token or a placeholder.
pub fn configurations(name: &str, gateway_url: &str, token: &str) -> Vec<ClientConfiguration> {
    let _ = (name, gateway_url, token);
    unimplemented!()
}
