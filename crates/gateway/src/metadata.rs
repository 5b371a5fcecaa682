//! Protected resource metadata (RFC 9728): where a client that was answered 401 learns how to get a grant.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use domain::ServerId;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::state::{Gateway, GatewayState};

/// The well-known address, to which the path of the resource is appended (RFC 9728, 3.1).
pub(crate) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource/mcp/{server}";

impl Gateway {
    /// Where the metadata of a server is, whether or not there is such a server.
    pub(crate) fn metadata_url(&self, server: ServerId) -> String {
        format!("{}/.well-known/oauth-protected-resource/mcp/{server}", self.metadata_base)
    }
}

/// The same for every id, so that it tells nobody which servers there are.
pub(crate) async fn metadata(State(gateway): State<GatewayState>, Path(server): Path<String>) -> Response {
    let Ok(server) = server.parse::<ServerId>() else { return StatusCode::NOT_FOUND.into_response() };
    let base = &gateway.metadata_base;
    let authorization_servers = match gateway.parts.settings.authorization_servers.as_slice() {
        [] => std::slice::from_ref(base),
        named => named,
    };
    let mut response = Json(json!({
        "resource": format!("{base}/mcp/{server}"),
        "resource_name": "Tollgate",
        "authorization_servers": authorization_servers,
        "bearer_methods_supported": ["header"],
    }))
    .into_response();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
