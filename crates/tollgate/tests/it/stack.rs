//! An installation in front of a demo upstream that demands a key.

use std::path::Path;

use flowforge_sim::{Engine, Options};
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use testkit::{Api, Installation, Process};
use tokio::net::TcpListener;

/// The key that the demo upstream demands of the gateway.
pub const UPSTREAM_KEY: (&str, &str) = ("x-api-key", "upstream-secret");

pub struct Stack {
    installation: Installation,
    sim: String,
}

impl Stack {
    /// Everything but the product's processes.
    pub async fn start() -> Self {
        let binary = Path::new(env!("CARGO_BIN_EXE_tollgate"));
        let installation = Installation::of(binary, Path::new(env!("CARGO_TARGET_TMPDIR"))).await;
        let sim = sim().await;
        Self { installation: installation.offering(format!("{sim}/mcp")), sim }
    }

    /// Starts a process of the product with `roles`; none: all.
    pub async fn serve(&self, roles: &[&str]) -> Process {
        self.installation.serve(roles).await
    }

    /// The same, with further settings.
    pub async fn serve_with(&self, roles: &[&str], settings: &[(&str, &str)]) -> Process {
        self.installation.serve_with(roles, settings).await
    }

    /// Everything that its processes share.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// Registers the demo upstream at its path `path`: the server's id.
    pub async fn register(&self, api: &Api, path: &str) -> String {
        let url = format!("{}{path}", self.sim);
        let server = api.register("Flowforge", &url, &[UPSTREAM_KEY]).await;
        reqwest::Client::new().delete(format!("{}/__log", self.sim)).send().await.unwrap();
        server
    }

    /// What reached the upstream since it was registered. Its `calls` and `counts` are those of clients, less what the gateway wants to
    /// know by itself.
    pub async fn reached(&self) -> Value {
        let log = reqwest::get(format!("{}/__log", self.sim)).await.unwrap();
        let mut log: Value = log.json().await.unwrap();
        let own = |tool: &str| tool.starts_with("tollgate_no_such_tool_");
        log["calls"].as_array_mut().unwrap().retain(|call| !own(call["tool"].as_str().unwrap()));
        log["counts"].as_object_mut().unwrap().retain(|tool, _| !own(tool));
        log
    }
}

/// The demo upstream in this process; it ends with the test.
async fn sim() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let key = (HeaderName::from_static(UPSTREAM_KEY.0), HeaderValue::from_static(UPSTREAM_KEY.1));
    let router = flowforge_sim::router(Engine::new(), Options { key: Some(key), ..Options::default() });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
