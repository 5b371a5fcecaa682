//! The MCP side: the tool list in pages, and a call turned into a request of the engine.

use std::sync::{Arc, LazyLock};

use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
    ListToolsResult, PaginatedRequestParams, ProgressNotificationParam, ProtocolVersion, ServerCapabilities,
    ServerConfig, Tool,
};
use rmcp::service::{RequestContext, RoleServer};
use rmcp::{ErrorData, ServerHandler};

use crate::catalogue;
use crate::engine::Engine;
use crate::log::{Call, Log, Rest};
use crate::requests;

static DEFINITIONS: LazyLock<Vec<Tool>> =
    LazyLock::new(|| catalogue::tools().iter().map(catalogue::Listed::definition).collect());

/// How long a page of the list may be kept, in milliseconds.
const LIST_FRESH_MS: u64 = 300_000;

/// The server behind each session, and behind each request of the stateless revision.
#[derive(Clone)]
pub struct Flowforge {
    pub(crate) engine: Engine,
    pub(crate) log: Log,
    /// Tools on a page of `tools/list`.
    pub(crate) page: usize,
}

impl ServerHandler for Flowforge {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(
                Implementation::new("flowforge-sim", env!("CARGO_PKG_VERSION")).with_title("Flowforge"),
            )
            .with_instructions("A workflow engine: events start runs of functions, agents use tools in them.")
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        DEFINITIONS.iter().find(|tool| tool.name == name).cloned()
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let start = match request.and_then(|params| params.cursor) {
            None => 0,
            Some(cursor) => cursor
                .strip_prefix("from-")
                .and_then(|number| number.parse().ok())
                .filter(|start| *start < DEFINITIONS.len())
                .ok_or_else(|| ErrorData::invalid_params("unknown cursor", None))?,
        };
        let end = DEFINITIONS.len().min(start + self.page);
        let mut result = ListToolsResult::with_all_items(DEFINITIONS[start..end].to_vec());
        result.next_cursor = (end < DEFINITIONS.len()).then(|| format!("from-{end}"));
        if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) {
            result.ttl_ms = Some(LIST_FRESH_MS);
            result.cache_scope = Some(CacheScope::Public);
        }
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.into_owned();
        let arguments = request.arguments.unwrap_or_default();
        let mut call = Call {
            tool: name.clone(),
            arguments: arguments.clone(),
            protocol_version: context.protocol_version().map(|version| version.to_string()),
            client: context.client_info().map(|client| client.name),
            rest: None,
        };
        let Some(tool) = catalogue::tool(&name) else {
            self.log.call(call);
            return Err(ErrorData::invalid_params(format!("Unknown tool: {name}"), None));
        };
        let asked = tool.check(arguments).and_then(|arguments| {
            requests::request(&name, &arguments).ok_or_else(|| "the arguments make no address".to_owned())
        });
        let asked = match asked {
            Ok(asked) => asked,
            Err(sentence) => {
                self.log.call(call);
                return Ok(CallToolResult::error(vec![ContentBlock::text(sentence)]).into());
            }
        };
        let (status, body) = self.engine.answer(&asked);
        call.rest = Some(Rest {
            reached: format!("{} {}", asked.method, asked.url.path()),
            raw: asked.raw,
            query: asked.url.query().map(str::to_owned),
            status,
        });
        self.log.call(call);
        if let Some(token) = context.meta.get_progress_token() {
            let done = ProgressNotificationParam::new(token, 1.0)
                .with_total(1.0)
                .with_message("the engine answered");
            // A caller that no longer listens is no reason to fail the call.
            let _gone = context.peer.notify_progress(done).await;
        }
        let result = if status == 200 {
            CallToolResult::structured(body)
        } else {
            CallToolResult::structured_error(body)
        };
        Ok(result.into())
    }
}

impl Flowforge {
    /// What makes one for each session.
    pub fn factory(self) -> impl Fn() -> std::io::Result<Arc<Self>> {
        let shared = Arc::new(self);
        move || Ok(Arc::clone(&shared))
    }
}
