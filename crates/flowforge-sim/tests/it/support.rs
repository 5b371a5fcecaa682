//! An instance on a free port, and clients of both eras.

use flowforge_sim::{Engine, Options, router};
use rmcp::model::{CallToolRequestParams, CallToolResult, ClientConfig, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub type Client = RunningService<RoleClient, ClientConfig>;

/// One running instance; its task ends with the test's runtime.
pub struct Sim {
    pub url: String,
}

impl Sim {
    pub async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router(Engine::new(), options)).await });
        Self { url }
    }

    pub async fn log(&self) -> Value {
        reqwest::get(format!("{}/__log", self.url)).await.unwrap().json().await.unwrap()
    }

    /// A client of the stateless revision at `path`.
    pub async fn modern(&self, path: &str) -> Client {
        let versions = vec![ProtocolVersion::V_2026_07_28];
        self.client(
            path,
            ClientLifecycleMode::Discover { preferred_versions: versions },
            ProtocolVersion::LATEST,
        )
        .await
    }

    /// A client that shakes hands for `version` at `path`.
    pub async fn legacy(&self, path: &str, version: ProtocolVersion) -> Client {
        self.client(path, ClientLifecycleMode::Initialize, version).await
    }

    async fn client(&self, path: &str, lifecycle: ClientLifecycleMode, version: ProtocolVersion) -> Client {
        let mut info = ClientConfig::default();
        info.protocol_version = version;
        let transport = StreamableHttpClientTransport::from_uri(format!("{}{path}", self.url));
        info.serve_with_lifecycle(transport, lifecycle).await.unwrap()
    }
}

/// Calls a tool.
pub async fn call(
    client: &Client,
    tool: &'static str,
    arguments: Value,
) -> Result<CallToolResult, ServiceError> {
    let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
    client.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await
}

/// The structured answer of a call that succeeds.
pub async fn done(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await.unwrap();
    assert_eq!(result.is_error, Some(false), "{tool}: {result:?}");
    result.structured_content.unwrap()
}

/// The answer of a call that the engine refuses.
pub async fn refused(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await.unwrap();
    assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
    let text = result.content[0].as_text().unwrap().text.clone();
    result.structured_content.unwrap_or_else(|| json!(text))
}
