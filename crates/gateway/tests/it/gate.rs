//! A [`World`] with one gateway and one grant, for the tests of the protocol: they care for what is on the wire alone.

use audit::Decision;
use axum::body::Body;
use axum::http::{Method, Response};
use gateway::GatewaySettings;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use testkit::upstream::{Received, Upstream};

use crate::client::{Answer, Door, message};
use crate::world::{Grant, World};

/// Allows all but one denied tool and those that are hidden.
pub const POLICY: &str = r#"{ "version": "1", "default": "allow", "hide": ["hidden_*"],
    "tools": { "denied": { "action": "deny", "reason": "not for agents" },
               "limited": { "limits": [{ "counter": "c", "window": "hour", "max": 1 }] } } }"#;

pub struct Gate {
    pub world: World,
    pub door: Door,
    pub grant: Grant,
}

impl Gate {
    /// A gateway whose upstream answers by `script`.
    pub async fn new(script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static) -> Self {
        Self::with(&[], |_| {}, script).await
    }

    /// The same under another policy.
    pub async fn under(
        policy: &str,
        script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let world = World::new(policy, script).await;
        let (door, grant) = (world.door().await, world.grant().await);
        Self { world, door, grant }
    }

    /// Opens a session; its id.
    pub async fn session(&self) -> String {
        self.door.initialize(&self.grant).await.header("mcp-session-id").to_owned()
    }

    /// The same with tools that were seen, and other settings.
    pub async fn with(
        tools: &[(&str, Value)],
        adjust: impl FnOnce(&mut GatewaySettings),
        script: impl Fn(&Received) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let world = World::with_tools(POLICY, tools, script).await;
        let (door, grant) = (world.door_with(adjust).await, world.grant().await);
        Self { world, door, grant }
    }

    pub fn upstream(&self) -> &Upstream {
        &self.world.upstream
    }

    /// What of clients has reached it: not what the gateway wants to know by itself.
    pub fn reached(&self) -> Vec<Received> {
        let mut received = self.upstream().received();
        received.retain(|request| !String::from_utf8_lossy(&request.body).contains("tollgate_no_such_tool"));
        received
    }

    /// A request of any method and path below the server's, with the grant's token.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.door.http().request(method, self.door.url() + path).bearer_auth(&self.grant.token)
    }

    /// A POST of these bytes.
    pub fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.door.request(&self.grant).body(body)
    }

    /// A request of the revisions with sessions, id 1.
    pub fn legacy(&self, method: &str, params: Value) -> RequestBuilder {
        self.post(legacy(method, params))
    }

    /// A request of the stateless revision, id 1, with its headers.
    pub fn modern(&self, method: &str, params: Value) -> RequestBuilder {
        self.door.modern(&self.grant, method, params)
    }

    /// Every decision so far, oldest first.
    pub async fn decisions(&self) -> Vec<Decision> {
        let records = self.world.records(&[&self.door]).await;
        records.decisions.into_iter().map(|(decision, _)| decision).collect()
    }
}

pub fn legacy(method: &str, params: Value) -> String {
    message(1, method, params).to_string()
}

/// The body of a modern request, for tests that choose its headers.
pub fn modern(method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "probe", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    legacy(method, params)
}

/// Sends a request and reads its answer whole.
pub async fn send(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}
