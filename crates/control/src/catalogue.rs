//! Servers that are known by name, and what is known about their tools.

use std::collections::HashMap;
use std::sync::LazyLock;

use domain::UpstreamUrl;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Category, Risk};

/// A known server: fills in the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CatalogueEntry {
    /// `flowforge-demo`.
    pub id: String,
    /// What to call it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Where it is.
    pub upstream_url: String,
    /// Names of the headers that it wants, such as `X-Api-Key`.
    pub headers: Vec<String>,
}

/// What is known about a tool.
#[derive(Debug, Deserialize)]
pub(crate) struct KnownTool {
    name: String,
    pub(crate) category: Category,
    pub(crate) risk: Risk,
    pub(crate) signals: Vec<String>,
    pub(crate) summary: String,
}

/// The entries of this installation.
pub(crate) fn entries(demo_upstream: Option<&UpstreamUrl>) -> Vec<CatalogueEntry> {
    let demo = demo_upstream.map(|url| CatalogueEntry {
        id: "flowforge-demo".to_owned(),
        name: "Flowforge (demo)".to_owned(),
        description: "A workflow engine with 49 tools, simulated in memory: nothing it does is real."
            .to_owned(),
        upstream_url: url.to_string(),
        headers: Vec::new(),
    });
    demo.into_iter().collect()
}

/// What is known about the tool of this name. Names carry their server's prefix, so one name is one tool.
pub(crate) fn known_tool(name: &str) -> Option<&'static KnownTool> {
    static TOOLS: LazyLock<HashMap<String, KnownTool>> = LazyLock::new(|| {
        let flowforge = include_str!("../../../catalogue/flowforge/tools.json");
        // A test holds that it can be read; without it, tools are judged by their names.
        let tools: Vec<KnownTool> = serde_json::from_str(flowforge).unwrap_or_default();
        tools.into_iter().map(|tool| (tool.name.clone(), tool)).collect()
    });
    TOOLS.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowforges_tools_are_known() {
        let tools: Vec<KnownTool> =
            serde_json::from_str(include_str!("../../../catalogue/flowforge/tools.json")).unwrap();
        assert_eq!(tools.len(), 49);
        for tool in &tools {
            assert!(known_tool(&tool.name).is_some());
        }
        let known = known_tool("flowforge_delete_task").unwrap();
        assert_eq!((known.category, known.risk), (Category::Destructive, Risk::Critical));
        assert!(known_tool("delete_task").is_none());
    }

    #[test]
    fn there_is_a_demo_entry_where_there_is_a_demo() {
        assert_eq!(entries(None), []);
        let url = "http://127.0.0.1:9000/mcp".parse().unwrap();
        assert_eq!(entries(Some(&url))[0].upstream_url, "http://127.0.0.1:9000/mcp");
    }
}
