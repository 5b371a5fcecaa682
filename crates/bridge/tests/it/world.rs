//! A bridge in front of a shell script that plays the server, and a client of it.

use std::time::Duration;

use bridge::{Bridge, Settings};
use domain::Secret;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use vault::Entropy;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);
const TOKEN: &str = "a-token-of-this-test";

/// What scripts are made of: `say JSON`, and `id`, the id of the line that was read.
const PRELUDE: &str = r#"
say() { printf '%s\n' "$1"; }
id() { printf '%s' "$line" | sed -nE 's/.*"id": ?([^,}]*).*/\1/p'; }
answer() { say "{\"jsonrpc\":\"2.0\",\"id\":$(id),$1}"; }
done_with() { answer "\"result\":$1"; }
hello() { done_with '{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"script","version":"1"}}'; }
unknown() { answer '"error":{"code":-32601,"message":"unknown"}'; }
"#;

pub struct World {
    pub bridge: Bridge,
    http: reqwest::Client,
    url: String,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The last message: of JSON, or of an event stream.
    pub fn json(&self) -> Value {
        let data = self.text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        serde_json::from_str(data.unwrap_or(&self.text)).unwrap_or_default()
    }

    pub fn session(&self) -> String {
        self.headers["mcp-session-id"].to_str().unwrap().to_owned()
    }
}

/// A bridge to a server that answers each line by `cases` of a shell's `case`.
pub async fn world(cases: &str) -> World {
    with(cases, |_| {}).await
}

/// The same with other settings.
pub async fn with(cases: &str, change: impl FnOnce(&mut Settings)) -> World {
    let script = format!(
        "{PRELUDE}\nwhile IFS= read -r line; do case \"$line\" in\n{cases}\n*'\"initialize\"'*) hello;;\n\
         *'\"id\":'*) unknown;;\nesac; done"
    );
    let mut settings = Settings::new("sh".into(), Secret::new(TOKEN.to_owned()));
    settings.arguments = vec!["-c".into(), script.into()];
    settings.environment = vec![("PATH".into(), "/usr/bin:/bin".into()), ("GIVEN".into(), "yes".into())];
    change(&mut settings);
    let bridge = Bridge::new(settings, Entropy::System);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let app = bridge::router(bridge.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    World { bridge, http: reqwest::Client::new(), url }
}

impl World {
    /// A request with the token.
    pub fn request(&self, method: Method) -> RequestBuilder {
        let accept = "application/json, text/event-stream";
        self.http.request(method, &self.url).bearer_auth(TOKEN).header("accept", accept)
    }

    pub async fn begin(&self, request: RequestBuilder) -> Response {
        tokio::time::timeout(PATIENCE, request.send()).await.expect("an answer").unwrap()
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let answer = self.begin(request).await;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = tokio::time::timeout(PATIENCE, answer.text()).await.expect("all of it").unwrap();
        Answer { status, headers, text }
    }

    /// Opens a session: its id.
    pub async fn session(&self) -> String {
        let hello = self.send(self.post(&hello())).await;
        assert_eq!(hello.status, 200, "{hello:?}");
        hello.session()
    }

    /// A message over several lines, as a body may be.
    pub fn post(&self, message: &Value) -> RequestBuilder {
        let body = serde_json::to_string_pretty(message).unwrap();
        self.request(Method::POST).header("content-type", "application/json").body(body)
    }

    /// A message of a session.
    pub fn within(&self, session: &str, message: &Value) -> RequestBuilder {
        self.post(message).header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25")
    }

    /// A stateless request with the headers that mirror it.
    pub fn stateless(&self, id: impl Into<Value>, method: &str, params: Value) -> RequestBuilder {
        self.offering(&json!({}), id, method, params)
    }

    /// The same of a client of these capabilities.
    pub fn offering(
        &self,
        capabilities: &Value,
        id: impl Into<Value>,
        method: &str,
        mut params: Value,
    ) -> RequestBuilder {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
        let message = json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params });
        let post =
            self.post(&message).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method);
        match params["name"].as_str() {
            Some(name) => post.header("mcp-name", name),
            None => post,
        }
    }
}

pub fn hello() -> Value {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params })
}

pub fn call(id: i64, tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool } })
}
