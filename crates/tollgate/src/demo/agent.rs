//! The demo's agent: a real MCP client (rmcp, newest revision first) that calls through the gateway, and is told what each call should meet.

use anyhow::Context as _;
use domain::{Outcome, Secret};
use egress::Client;
use rmcp::ServiceError;
use rmcp::model::{CallToolRequestParams, ClientConfig, Implementation, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Map, Value, json};

/// One call of the demo and what the demo policy says to it.
pub struct Step {
    pub tool: &'static str,
    pub arguments: Value,
    pub expected: Outcome,
}

/// The calls, in order. The third retry meets the limit of two a minute.
pub fn steps() -> Vec<Step> {
    let step = |tool, arguments, expected| Step { tool, arguments, expected };
    let retry = || json!({"run_id": "run-0002"});
    vec![
        step("flowforge_list_runs", json!({"limit": 5}), Outcome::Allow),
        step("flowforge_get_run", json!({"run_id": "run-0001"}), Outcome::Allow),
        step("flowforge_retry_run", retry(), Outcome::Allow),
        step("flowforge_retry_run", retry(), Outcome::Allow),
        step("flowforge_retry_run", retry(), Outcome::Limit),
        step("flowforge_send_event", json!({"name": "billing/refund", "data": {}}), Outcome::Deny),
        step("flowforge_import_skill", json!({"url": "https://example.com/skill"}), Outcome::Deny),
        step("flowforge_delete_credential", json!({"name": "openai_key"}), Outcome::Hidden),
    ]
}

/// A connected client.
pub struct Agent(RunningService<RoleClient, ClientConfig>);

impl Agent {
    /// Connects to the gateway's address of a server with a grant's token.
    ///
    /// # Errors
    /// The gateway does not answer, or refuses the token.
    pub async fn connect(egress: &Client, url: &str, token: &Secret<String>) -> anyhow::Result<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri(url).auth_header(token.expose());
        let client = egress.http_client(&url.parse()?)?;
        let transport = StreamableHttpClientTransport::with_client(client, config);
        let mut info = ClientConfig::default();
        info.client_info = Implementation::new("tollgate-demo", env!("CARGO_PKG_VERSION"));
        let lifecycle = ClientLifecycleMode::Auto {
            preferred_versions: vec![ProtocolVersion::LATEST],
            legacy_version: None,
        };
        let client =
            info.serve_with_lifecycle(transport, lifecycle).await.context("the agent can't connect")?;
        Ok(Self(client))
    }

    /// The names of the tools that the grant can see, of all pages.
    ///
    /// # Errors
    /// The list could not be fetched.
    pub async fn tools(&self) -> anyhow::Result<Vec<String>> {
        let tools = self.0.list_all_tools().await.context("the agent can't list tools")?;
        Ok(tools.into_iter().map(|tool| tool.name.into_owned()).collect())
    }

    /// Makes one call. A refusal is an answer like any other, so only a broken connection is an error.
    ///
    /// # Errors
    /// The gateway did not answer in the protocol.
    pub async fn call(&self, step: &Step) -> anyhow::Result<()> {
        let arguments: Map<String, Value> = step.arguments.as_object().cloned().unwrap_or_default();
        let call = CallToolRequestParams::new(step.tool).with_arguments(arguments);
        match self.0.call_tool(call).await {
            Ok(_) | Err(ServiceError::McpError(_)) => Ok(()),
            Err(error) => Err(error).with_context(|| format!("the call of {} was not answered", step.tool)),
        }
    }
}
