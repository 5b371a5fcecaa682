//! Policies to start from, for servers whose tools are known: `catalogue/*/`.

use domain::ServerId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Actor, Control, Error, Tool};

/// A policy to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preset {
    /// `read-only`.
    pub id: String,
    /// What to call it.
    pub name: String,
    /// What it is for, in the words of the document.
    pub description: String,
    /// The policy language v1, as text.
    pub document: String,
}

/// Id, name and text of each preset for Flowforge.
const FLOWFORGE: [(&str, &str, &str); 4] = [
    ("read-only", "Read only", include_str!("../../../../catalogue/flowforge/read-only.json")),
    ("operator", "Operator", include_str!("../../../../catalogue/flowforge/operator.json")),
    ("builder", "Builder", include_str!("../../../../catalogue/flowforge/builder.json")),
    ("locked-down", "Locked down", include_str!("../../../../catalogue/flowforge/locked-down.json")),
];

impl Control {
    /// Policies that were written for the tools of this server; none where most of its tools are not known.
    pub async fn policy_presets(&self, actor: &Actor, server: ServerId) -> Result<Vec<Preset>, Error> {
        Ok(of(&self.tools(actor, server).await?))
    }
}

fn of(tools: &[Tool]) -> Vec<Preset> {
    let known = tools.iter().filter(|tool| tool.in_catalogue).count();
    if known * 2 <= tools.len() {
        return Vec::new();
    }
    FLOWFORGE.iter().map(|(id, name, document)| preset(id, name, document)).collect()
}

fn preset(id: &str, name: &str, document: &str) -> Preset {
    let read: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let description = read.get("description").and_then(serde_json::Value::as_str).unwrap_or_default();
    Preset {
        id: id.to_owned(),
        name: name.to_owned(),
        description: description.to_owned(),
        document: document.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policies::proposal::tests::{flowforge, tool};

    #[test]
    fn presets_are_for_servers_that_they_were_written_for() {
        let tools = flowforge();
        let presets = of(&tools);
        let names: Vec<_> = presets.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names, ["Read only", "Operator", "Builder", "Locked down"]);
        let facts: Vec<_> = tools.iter().map(Tool::facts).collect();
        for preset in &presets {
            assert!(!preset.description.is_empty(), "{}", preset.id);
            let policy = policy::Policy::read(preset.document.as_bytes()).unwrap();
            assert_eq!(policy.warnings(&facts), [], "{}", preset.id);
        }
        let other = tool("get_page", serde_json::json!({}));
        assert_eq!(of(&[]), []);
        assert_eq!(of(&[tools[0].clone(), other]), [], "half of them are not known");
    }
}
