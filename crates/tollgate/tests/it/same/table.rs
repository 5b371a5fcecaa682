//! Which client does what: the table in `docs/protocol.md`, and the clients that are held to it. A client that does less than its
//! row says fails, one that does more, a row that no client runs, and a gap without a reason.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clients::root;

/// The columns of the table, and the steps that fill them.
const ACTIONS: [(&str, &str); 8] = [
    ("initialize or discover", "hello"),
    ("list", "list"),
    ("call", "call"),
    ("progress", "progress"),
    ("cancel", "cancel"),
    ("elicit", "elicit"),
    ("resume", "resume"),
    ("subscribe", "subscribe"),
];
const DONE: &str = "yes";

/// A client in one era.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    client: &'static str,
    era: &'static str,
}

const fn row(client: &'static str, era: &'static str) -> Row {
    Row { client, era }
}

pub const PYTHON_1: Row = row("Python `mcp` 1.x", "sessions");
pub const PYTHON_2_SESSIONS: Row = row("Python `mcp` 2.x", "sessions");
pub const PYTHON_2: Row = row("Python `mcp` 2.x", "stateless");
pub const TYPESCRIPT_1: Row = row("TypeScript v1", "sessions");
pub const TYPESCRIPT_2_SESSIONS: Row = row("TypeScript v2", "sessions");
pub const TYPESCRIPT_2: Row = row("TypeScript v2", "stateless");
pub const RMCP_SESSIONS: Row = row("rmcp", "sessions");
pub const RMCP: Row = row("rmcp", "stateless");
pub const INSPECTOR_SESSIONS: Row = row("Inspector, CLI mode", "sessions");
pub const INSPECTOR: Row = row("Inspector, CLI mode", "stateless");
pub const MCP_REMOTE_SESSIONS: Row = row("`mcp-remote`", "sessions");
pub const MCP_REMOTE: Row = row("`mcp-remote`", "stateless");

const ROWS: [Row; 12] = [
    PYTHON_1,
    PYTHON_2_SESSIONS,
    PYTHON_2,
    TYPESCRIPT_1,
    TYPESCRIPT_2_SESSIONS,
    TYPESCRIPT_2,
    RMCP_SESSIONS,
    RMCP,
    INSPECTOR_SESSIONS,
    INSPECTOR,
    MCP_REMOTE_SESSIONS,
    MCP_REMOTE,
];

impl Row {
    /// Holds what a client did to what the table says of it.
    pub fn hold(&self, told: &[(String, Value)]) {
        let text = section();
        let cells =
            cells(&text).remove(&(self.client, self.era)).unwrap_or_else(|| panic!("no row {self:?}"));
        for ((action, step), cell) in ACTIONS.into_iter().zip(cells) {
            let done = told.iter().any(|(name, _)| name == step);
            assert_eq!(done, cell == DONE, "{self:?} does `{action}`, or says why not: {cell}");
        }
    }
}

/// The part of the document.
fn section() -> String {
    let text = std::fs::read_to_string(root().join("docs/protocol.md")).unwrap();
    let (_, section) = text.split_once("## Clients that are held to this\n").expect("the section of clients");
    section.split("\n## ").next().unwrap_or_default().to_owned()
}

/// The cells of each row.
fn cells(section: &str) -> BTreeMap<(&str, &str), Vec<&str>> {
    let lines = section.lines().filter(|line| line.starts_with("| "));
    let rows = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let mut rows = rows.filter(|row| !row[0].starts_with('-'));
    let head = rows.next().expect("the head of the table");
    let columns = ["client", "era"].into_iter().chain(ACTIONS.map(|(action, _)| action));
    assert!(head.iter().copied().eq(columns), "{head:?}");
    rows.map(|row| ((row[0], row[1]), row[2..].to_vec())).collect()
}

#[test]
fn every_row_is_run_and_every_gap_has_its_reason() {
    let text = section();
    let cells = cells(&text);
    let told: Vec<_> = cells.keys().copied().collect();
    let mut run: Vec<_> = ROWS.iter().map(|row| (row.client, row.era)).collect();
    run.sort_unstable();
    assert_eq!(told, run);
    for (row, cells) in &cells {
        assert_eq!(cells.len(), ACTIONS.len(), "{row:?}");
        for cell in cells.iter().filter(|cell| **cell != DONE) {
            assert!(
                text.lines().any(|line| line.starts_with(&format!("- {cell}: "))),
                "{row:?}: why `{cell}`?"
            );
        }
    }
}
