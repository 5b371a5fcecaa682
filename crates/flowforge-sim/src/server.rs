//! The HTTP side: `/mcp` with sessions and event streams, `/mcp/json` without sessions and with plain JSON, `/__log` and
//! `/__reset` for tests, and the demand for a key.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get, post};
use http::{HeaderName, HeaderValue, StatusCode, header};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::log::Log;
use crate::mcp::Flowforge;

/// How an instance differs from the plain one.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tools on a page of `tools/list`, at least 1.
    pub page: usize,
    /// A header that every MCP request must carry, with this very value; 401 without.
    pub key: Option<(HeaderName, HeaderValue)>,
    /// Names that clients may call this host by, besides the loopback ones.
    pub hosts: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { page: 20, key: None, hosts: Vec::new() }
    }
}

#[derive(Clone)]
struct Door {
    engine: Engine,
    log: Log,
    key: Option<(HeaderName, HeaderValue)>,
}

/// Everything that an instance serves.
pub fn router(engine: Engine, options: Options) -> axum::Router {
    let log = Log::default();
    let page = options.page.max(1);
    let server = Flowforge { engine: engine.clone(), log: log.clone(), page };
    let door = Door { engine, log, key: options.key };
    let mut config = StreamableHttpServerConfig::default();
    config.allowed_hosts.extend(options.hosts);
    let plain = config.clone().with_legacy_session_mode(false).with_json_response(true);
    let streams = StreamableHttpService::new(
        server.clone().factory(),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let plain = StreamableHttpService::new(server.factory(), Arc::new(LocalSessionManager::default()), plain);
    axum::Router::new()
        .route("/mcp", any_service(streams))
        .route("/mcp/json", any_service(plain))
        .route_layer(middleware::from_fn_with_state(door.clone(), enter))
        .route("/__log", get(show_log).delete(clear_log))
        .route("/__reset", post(reset))
        .with_state(door)
}

/// Writes the request down and turns it away when it lacks the key.
async fn enter(State(door): State<Door>, request: Request, next: Next) -> Response {
    door.log.arrival(request.method(), request.uri(), request.headers());
    match &door.key {
        Some((name, value)) if request.headers().get(name) != Some(value) => {
            let body = Json(json!({ "error": format!("`{name}` is missing or wrong") }));
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "ApiKey")], body).into_response()
        }
        _ => next.run(request).await,
    }
}

async fn show_log(State(door): State<Door>) -> Json<Value> {
    Json(door.log.show())
}

async fn clear_log(State(door): State<Door>) -> StatusCode {
    door.log.clear();
    StatusCode::NO_CONTENT
}

/// Back to the seed data and an empty log.
async fn reset(State(door): State<Door>) -> StatusCode {
    door.engine.reset();
    door.log.clear();
    StatusCode::NO_CONTENT
}
