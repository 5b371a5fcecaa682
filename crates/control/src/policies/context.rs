//! Who calls in a simulation, and from where: what conditions on `grant`, `client` and `server` look at.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who calls, and from where. A text that is left out or empty is missing, as for a client that does not say its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CallContext {
    /// The grant that is called with.
    pub grant: GrantContext,
    /// What the client says of itself.
    pub client: ClientContext,
    /// The server that is called.
    pub server: ServerContext,
    /// Whether the call belongs to an MCP session, which limits of the scope `session` count by.
    pub session: bool,
}

/// `grant.label` and `grant.identity`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GrantContext {
    /// The grant's label.
    #[schema(example = "CI bot")]
    pub label: String,
    /// Whose grant it is.
    #[schema(example = "ci@example.com")]
    pub identity: String,
}

/// `client.name` and `client.version`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ClientContext {
    /// The client's name.
    #[schema(example = "claude-code")]
    pub name: String,
    /// Its version.
    pub version: String,
}

/// `server.name`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerContext {
    /// The server's name; its own when left out.
    pub name: String,
}

impl CallContext {
    /// As the judge takes it. `server` is what the server is called.
    pub(super) fn of_server<'a>(&'a self, server: &'a str) -> policy::Context<'a> {
        policy::Context {
            grant_label: given(&self.grant.label),
            grant_identity: given(&self.grant.identity),
            client_name: given(&self.client.name),
            client_version: given(&self.client.version),
            server_name: given(&self.server.name).or(Some(server)),
        }
    }
}

fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
