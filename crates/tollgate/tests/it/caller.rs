//! An agent of the stateless revision, as plain HTTP: fast, and it sees the status and the request id.

use reqwest::{RequestBuilder, StatusCode};
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
        self.send(self.http.post(&self.url), tool, arguments).await
    }

    /// Calls a tool as a part of this trace; it may have no arguments.
    pub async fn call_traced(&self, tool: &str, trace: &str) -> Result<Answer, reqwest::Error> {
        let parent = format!("00-{trace}-00000000000000aa-01");
        self.send(self.http.post(&self.url).header("traceparent", parent), tool, &json!({})).await
    }

    /// Sends a request of this method.
    pub async fn method(&self, method: &str) -> Result<Answer, reqwest::Error> {
        self.request(self.http.post(&self.url), method, json!({})).await
    }

    async fn send(
        &self,
        request: RequestBuilder,
        tool: &str,
        arguments: &Value,
    ) -> Result<Answer, reqwest::Error> {
        let params = json!({ "name": tool, "arguments": arguments });
        self.request(request.header("mcp-name", tool), "tools/call", params).await
    }

    async fn request(
        &self,
        request: RequestBuilder,
        method: &str,
        mut params: Value,
    ) -> Result<Answer, reqwest::Error> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let answer = request
            .bearer_auth(&self.token)
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method)
            .json(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
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
