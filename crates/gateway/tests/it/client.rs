//! A client that sends what it is told, well-formed or not.

use axum::http::{HeaderMap, StatusCode};
use domain::ServerId;
use gateway::GatewayState;
use ledger::Ledger;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::world::Grant;

/// A gateway's address of one server.
pub struct Door {
    pub base: String,
    pub server: ServerId,
    pub state: GatewayState,
    /// The gateway's own connection to Redis.
    pub ledger: Ledger,
    http: Client,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// The JSON-RPC error code.
    pub fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {self:?}"))
    }
}

impl Door {
    pub fn new(base: String, server: ServerId, state: GatewayState, ledger: Ledger) -> Self {
        let http = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { base, server, state, ledger, http }
    }

    /// The same gateway's address of another server.
    pub fn at(&self, server: ServerId) -> Self {
        Self::new(self.base.clone(), server, self.state.clone(), self.ledger.clone())
    }

    pub fn url(&self) -> String {
        format!("{}/mcp/{}", self.base, self.server)
    }

    pub fn http(&self) -> &Client {
        &self.http
    }

    /// A POST with the headers that every client sends.
    pub fn request(&self, grant: &Grant) -> RequestBuilder {
        self.http
            .post(self.url())
            .bearer_auth(&grant.token)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    }

    /// Posts a body.
    pub async fn post(&self, grant: &Grant, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.request(grant).body(body).send().await.unwrap()).await
    }

    /// A call of the revisions with sessions, outside of any.
    pub async fn call(&self, grant: &Grant, tool: &str, arguments: Value) -> Answer {
        self.post(grant, call(tool, arguments).to_string()).await
    }

    /// A request of the stateless revision, with the headers it needs.
    pub fn modern(&self, grant: &Grant, method: &str, params: Value) -> RequestBuilder {
        let mut params = params;
        // Whoever asks for tasks works with them.
        let capabilities = if method.starts_with("tasks/") {
            json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })
        } else {
            json!({})
        };
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "modern", "version": "2" },
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        });
        let name = params["name"].as_str().map(str::to_owned);
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self
            .request(grant)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .body(body.to_string());
        match name {
            Some(name) => request.header("mcp-name", name),
            None => request,
        }
    }

    pub async fn modern_call(&self, grant: &Grant, tool: &str, arguments: Value) -> Answer {
        let params = json!({ "name": tool, "arguments": arguments });
        Answer::of(self.modern(grant, "tools/call", params).send().await.unwrap()).await
    }

    /// Opens a session; its id as the client holds it.
    pub async fn initialize(&self, grant: &Grant) -> Answer {
        let body = message(
            0,
            "initialize",
            json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "legacy", "version": "1" },
            }),
        );
        self.post(grant, body.to_string()).await
    }
}

pub fn message(id: i64, method: &str, params: impl Into<Value>) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    message["params"] = params.into();
    message
}

pub fn call(tool: &str, arguments: impl Into<Value>) -> Value {
    let mut call = message(1, "tools/call", json!({ "name": tool }));
    call["params"]["arguments"] = arguments.into();
    call
}

/// An event stream with a star in the place of each id, for ids are sealed anew each time.
pub fn masked(stream: &str) -> String {
    let line = |line: &str| {
        let end = line.len() - line.trim_end_matches(['\r', '\n']).len();
        let (content, end) = line.split_at(line.len() - end);
        if content.starts_with("id:") { format!("id: *{end}") } else { line.to_owned() }
    };
    stream.split_inclusive('\n').map(line).collect()
}

/// The ids of the events in a stream.
pub fn event_ids(stream: &str) -> Vec<&str> {
    stream.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}
