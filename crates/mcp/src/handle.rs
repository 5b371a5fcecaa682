//! A task of the gateway's own (extension for tasks, SEP-2663): the handle of a call that waits for a person. What servers call a
//! task is in [`crate::tasks`].

use serde_json::{Map, Value, json};

use crate::Id;

/// A handle as its client is told of it.
#[derive(Clone, Copy, Debug)]
pub struct Handle<'a> {
    /// The task's id.
    pub task: &'a str,
    /// RFC 3339.
    pub created_at: &'a str,
    /// RFC 3339.
    pub updated_at: &'a str,
    /// Milliseconds that it is kept, from its making.
    pub lives_ms: u64,
    /// Milliseconds to leave between two questions about it.
    pub poll_ms: u64,
    /// What it is doing, for people.
    pub message: &'a str,
}

/// Where the call stands.
#[derive(Clone, Debug)]
pub enum Stage {
    /// Nobody has decided.
    Waiting,
    /// It is over, with this tool result.
    Completed(Value),
    /// The client gave it up.
    Cancelled,
}

impl Handle<'_> {
    /// The answer to the call: a task instead of a result.
    pub fn made(&self, id: &Id) -> Vec<u8> {
        let mut result = self.members("working");
        result.insert("resultType".to_owned(), "task".into());
        answer(id, &result)
    }

    /// The answer to `tasks/get`.
    pub fn stands(&self, id: &Id, stage: Stage) -> Vec<u8> {
        let mut result = match stage {
            Stage::Waiting => self.members("working"),
            Stage::Cancelled => self.members("cancelled"),
            Stage::Completed(_) => self.members("completed"),
        };
        if let Stage::Completed(of_tool) = stage {
            result.insert("result".to_owned(), of_tool);
        }
        result.insert("resultType".to_owned(), "complete".into());
        answer(id, &result)
    }

    fn members(&self, status: &str) -> Map<String, Value> {
        let members = json!({
            "taskId": self.task,
            "status": status,
            "statusMessage": self.message,
            "createdAt": self.created_at,
            "lastUpdatedAt": self.updated_at,
            "ttlMs": self.lives_ms,
            "pollIntervalMs": self.poll_ms,
        });
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

/// The answer to `tasks/update` and `tasks/cancel`.
pub fn acknowledged(id: &Id) -> Vec<u8> {
    answer(id, &Map::from_iter([("resultType".to_owned(), "complete".into())]))
}

fn answer(id: &Id, result: &Map<String, Value>) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result }).to_string().into_bytes()
}
