//! Everything the engine knows, and its clock: a second passes with each thing that happens, from a fixed moment.

use chrono::{DateTime, SecondsFormat};
use serde_json::json;

use super::table::Table;

/// 2 March 2026, 08:00 UTC.
const FIRST_SECOND: i64 = 1_772_438_400;

/// The rows of every kind.
#[derive(Debug)]
pub struct World {
    seconds: i64,
    pub(super) agents: Table,
    pub(super) approvals: Table,
    pub(super) calls: Table,
    pub(super) comments: Table,
    pub(super) credentials: Table,
    pub(super) events: Table,
    pub(super) functions: Table,
    pub(super) notifications: Table,
    pub(super) runs: Table,
    pub(super) skills: Table,
    pub(super) steps: Table,
    pub(super) tasks: Table,
    pub(super) tools: Table,
}

impl World {
    /// A world with nothing in it.
    pub(super) fn empty() -> Self {
        Self {
            seconds: 0,
            agents: Table::new("agent", "agent"),
            approvals: Table::new("approval", "apr"),
            calls: Table::new("tool call", "call"),
            comments: Table::new("comment", "cmt"),
            credentials: Table::new("credential", "cred"),
            events: Table::new("event", "evt"),
            functions: Table::new("function", "fn"),
            notifications: Table::new("notification", "ntf"),
            runs: Table::new("run", "run"),
            skills: Table::new("skill", "skill"),
            steps: Table::new("step", "step"),
            tasks: Table::new("task", "task"),
            tools: Table::new("tool", "tool"),
        }
    }

    /// The next moment.
    pub(super) fn now(&mut self) -> String {
        self.seconds += 1;
        DateTime::from_timestamp(FIRST_SECOND + self.seconds, 0)
            .unwrap_or_default()
            .to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Puts a line into the inbox.
    pub(super) fn notify(&mut self, kind: &str, text: &str, about: &str) {
        let (id, now) = (self.notifications.mint(), self.now());
        let row = json!({ "id": id, "kind": kind, "text": text, "about": about, "is_read": false, "created_at": now });
        self.notifications.put(&id, row);
    }
}
