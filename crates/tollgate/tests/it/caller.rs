//! An agent of the stateless revision, as plain HTTP: fast, and it sees the status and the request id.

use reqwest::StatusCode;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

/// One answer of the gateway.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// The decision's id, also of its row.
    pub request_id: String,
    pub body: Value,
}

impl Caller {
    pub fn new(gateway: &str, server: &str, token: &str) -> Self {
        let (url, token) = (format!("{gateway}/mcp/{server}"), token.to_owned());
        Self { http: reqwest::Client::new(), url, token }
    }

    /// Calls a tool; an error when no whole answer came.
    pub async fn call(&self, tool: &str, arguments: &Value) -> Result<Answer, reqwest::Error> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
        let answer = self
            .http
            .post(&self.url)
            .bearer_auth(&self.token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }))
            .send()
            .await?;
        let status = answer.status();
        let request_id =
            answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let request_id = request_id.to_owned();
        let body = answer.bytes().await?;
        Ok(Answer { status, request_id, body: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }
}

impl Answer {
    /// Whether the upstream's answer came through.
    pub fn allowed(&self) -> bool {
        self.status == StatusCode::OK && self.body["result"]["isError"] == false
    }

    /// Whether the policy refused: by which rule.
    pub fn denied(&self) -> Option<&str> {
        let text = self.body["result"]["content"][0]["text"].as_str()?;
        let meta = &self.body["result"]["_meta"]["dev.tollgate/decision"];
        text.starts_with("[POLICY DENIED] ").then_some(meta["rule"].as_str()?)
    }
}
