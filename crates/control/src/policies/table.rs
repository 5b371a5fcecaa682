//! The table of tools with a choice for each, which writes the same JSON as an author would.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// What to do with a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "choice", rename_all = "lowercase", deny_unknown_fields)]
pub enum Choice {
    /// Let it through.
    Allow,
    /// Refuse it.
    Deny,
    /// Leave it out of the list, and refuse it.
    Hide,
    /// Let a person approve it.
    Approve,
    /// Let it through so many times.
    Limit {
        /// Calls of each grant.
        max: u64,
        /// `second`, `minute`, `hour`, `day` or `month`.
        window: String,
    },
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolChoice {
    /// The tool.
    pub tool: String,
    /// What to do with it.
    #[serde(flatten)]
    pub choice: Choice,
}

/// The document with these choices written into it; what else it says of the tools, and of others, stays. The document
/// must be one that can be read.
pub fn choose(document: &str, choices: &[ToolChoice]) -> Result<String, Error> {
    let _ = (document, choices);
    unimplemented!()
}
