//! What reached the upstream: every HTTP request at the MCP endpoint, and every tool call with the request it became.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use rmcp::model::JsonObject;
use serde::Serialize;
use serde_json::Value;

/// Entries of each kind that are kept; the oldest go first. The counts are of all.
const KEPT: usize = 10_000;

/// A handle to one log.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Entries>>);

#[derive(Debug, Default, Serialize)]
struct Entries {
    /// Tool calls since the start or the last reset.
    total: u64,
    /// The same by tool.
    counts: BTreeMap<String, u64>,
    calls: VecDeque<Call>,
    requests: VecDeque<Arrival>,
}

/// One `tools/call`.
#[derive(Debug, Serialize)]
pub struct Call {
    /// The tool's name as it came.
    pub tool: String,
    /// The arguments as they came.
    pub arguments: JsonObject,
    /// The protocol revision that the caller speaks.
    pub protocol_version: Option<String>,
    /// The caller's name for itself.
    pub client: Option<String>,
    /// What it became; none when the tool is unknown or the arguments don't fit it.
    pub rest: Option<Rest>,
}

/// One request of the internal REST interface.
#[derive(Debug, Serialize)]
pub struct Rest {
    /// Method and path that were asked, such as `GET /api/v1/runs`.
    pub reached: String,
    /// The address before the rules of a URL.
    pub raw: String,
    /// The query, if any.
    pub query: Option<String>,
    /// The HTTP status of the answer.
    pub status: u16,
}

/// One HTTP request at the MCP endpoint.
#[derive(Debug, Serialize)]
pub struct Arrival {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// Its headers; several of one name with `, ` between them.
    pub headers: BTreeMap<String, String>,
}

impl Log {
    /// Writes down one tool call.
    pub fn call(&self, call: Call) {
        let mut entries = self.entries();
        entries.total += 1;
        *entries.counts.entry(call.tool.clone()).or_default() += 1;
        if entries.calls.len() == KEPT {
            entries.calls.pop_front();
        }
        entries.calls.push_back(call);
    }

    /// Writes down one HTTP request.
    pub fn arrival(&self, method: &http::Method, target: &http::Uri, headers: &HeaderMap) {
        let mut shown: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            let entry = shown.entry(name.to_string()).or_default();
            entry.push_str(if entry.is_empty() { "" } else { ", " });
            entry.push_str(&value);
        }
        let arrival = Arrival { method: method.to_string(), target: target.to_string(), headers: shown };
        let mut entries = self.entries();
        if entries.requests.len() == KEPT {
            entries.requests.pop_front();
        }
        entries.requests.push_back(arrival);
    }

    /// Everything, as JSON.
    pub fn show(&self) -> Value {
        serde_json::to_value(&*self.entries()).unwrap_or_default()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.entries() = Entries::default();
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
