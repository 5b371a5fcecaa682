//! What is different about a server's tools since they were last listed.

use std::collections::{HashMap, HashSet};

use storage::{ToolDefinition, ToolRow};

/// Names of tools that are new, gone, or defined otherwise.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(super) added: Vec<String>,
    pub(super) removed: Vec<String>,
    pub(super) changed: Vec<String>,
}

impl Difference {
    /// From what is stored to what was listed now.
    pub(super) fn between(before: &[ToolRow], now: &[ToolDefinition]) -> Self {
        let known: HashMap<_, _> =
            before.iter().map(|row| (row.definition.name.as_str(), row.definition.digest)).collect();
        let listed: HashSet<_> = now.iter().map(|tool| tool.name.as_str()).collect();
        let mut difference = Self::default();
        for tool in now {
            match known.get(tool.name.as_str()) {
                None => difference.added.push(tool.name.clone()),
                Some(digest) if *digest != tool.digest => difference.changed.push(tool.name.clone()),
                Some(_) => {}
            }
        }
        let gone =
            before.iter().map(|row| &row.definition.name).filter(|name| !listed.contains(name.as_str()));
        difference.removed = gone.cloned().collect();
        difference
    }
}
