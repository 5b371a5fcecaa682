//! What a server's settings say about the protocol: methods that no revision knows and that pass all the same, and whether its
//! tools are held to the definitions that were approved.

use domain::{Role, ServerId};
use mcp::methods::may_be_custom;
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::ProtocolRow;
use utoipa::ToSchema;

use crate::change::Event;
use crate::input::Problems;
use crate::{Actor, Control, Error};

/// Methods that a server may list.
const MOST: usize = 50;

/// What a server's settings say about the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProtocolSettings {
    /// Methods beyond the protocol that pass to this server and from it: requests and notifications.
    #[schema(example = json!(["acme/search"]))]
    pub custom_methods: Vec<String>,
    /// A tool is denied while its definition is not the one that was approved.
    pub pin_tools: bool,
    /// Tools whose definition is not the one that was approved, in the upstream's order; where tools are pinned.
    pub unapproved_tools: Vec<String>,
}

/// What to change of it; what is left out stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProtocolChange {
    /// All of them anew: names that no revision of the protocol has, exactly as they are sent.
    #[serde(default)]
    pub custom_methods: Option<Vec<String>>,
    /// Pinning approves every tool as it was last read.
    #[serde(default)]
    pub pin_tools: Option<bool>,
}

/// Tools whose definitions are approved as they were last read.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolApproval {
    /// Their names; left out: all of them.
    #[serde(default)]
    pub tools: Option<Vec<String>>,
}

impl Control {
    /// What a server's settings say about the protocol.
    pub async fn protocol(&self, actor: &Actor, id: ServerId) -> Result<ProtocolSettings, Error> {
        let mut tx = self.tenant(actor).await?;
        let row = tx.protocol(id).await?.ok_or(Error::NotFound)?;
        let unapproved_tools = if row.pin_tools { tx.unapproved_tools(id).await? } else { Vec::new() };
        Ok(ProtocolSettings {
            custom_methods: row.custom_methods,
            pin_tools: row.pin_tools,
            unapproved_tools,
        })
    }

    /// Changes it. Needs `admin`.
    pub async fn change_protocol(
        &self,
        actor: &Actor,
        id: ServerId,
        input: &ProtocolChange,
    ) -> Result<ProtocolSettings, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let before = self.protocol(actor, id).await?;
        let methods = match &input.custom_methods {
            Some(methods) => read(methods)?,
            None => before.custom_methods,
        };
        let row =
            ProtocolRow { custom_methods: methods, pin_tools: input.pin_tools.unwrap_or(before.pin_tools) };
        let mut change = self.change(actor).await?;
        if !change.set_protocol(id, &row).await? {
            return Err(Error::NotFound);
        }
        if row.pin_tools && !before.pin_tools {
            change.approve_tools(id, None).await?;
        }
        let event = Event::new("server.protocol", id.uuid(), server.name);
        let details = json!({ "custom_methods": row.custom_methods, "pin_tools": row.pin_tools });
        change.commit(actor, event.with(details)).await?;
        self.protocol(actor, id).await
    }

    /// Approves the definitions of tools as they were last read. Needs `admin`.
    pub async fn approve_tools(
        &self,
        actor: &Actor,
        id: ServerId,
        input: &ToolApproval,
    ) -> Result<ProtocolSettings, Error> {
        actor.needs(Role::Admin)?;
        let server = self.server(actor, id).await?;
        let mut change = self.change(actor).await?;
        let approved = change.approve_tools(id, input.tools.as_deref()).await?;
        let event = Event::new("server.approve_tools", id.uuid(), server.name);
        change.commit(actor, event.with(json!({ "tools": approved }))).await?;
        self.protocol(actor, id).await
    }
}

/// The methods as they were typed, each once.
fn read(methods: &[String]) -> Result<Vec<String>, Error> {
    let mut problems = Problems::new();
    if methods.len() > MOST {
        problems.note("/custom_methods", format!("has {} methods: list at most {MOST}", methods.len()));
    }
    let mut read: Vec<String> = Vec::with_capacity(methods.len().min(MOST));
    for (at, method) in methods.iter().enumerate().take(MOST) {
        let method = method.trim();
        if !may_be_custom(method) {
            let message = "is not a method of your own: write its exact name, which no revision of the protocol has, as \
                           `acme/search`";
            problems.note(&format!("/custom_methods/{at}"), message);
        } else if !read.iter().any(|known| known == method) {
            read.push(method.to_owned());
        }
    }
    problems.check()?;
    Ok(read)
}
