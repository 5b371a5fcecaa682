//! Looking at an upstream: does it answer, does it speak MCP, which tools does it list.
//!
//! The official client speaks both eras of the protocol; the connections are those of `egress`, so an address inside can't
//! be looked at, and no redirect is followed.

mod listing;
#[cfg(test)]
mod tests;
mod trouble;
mod watched;

use std::collections::HashMap;
use std::time::Duration;

use domain::UpstreamUrl;
use rmcp::model::{
    ClientConfig, ErrorCode, Implementation, PaginatedRequestParams, ProtocolVersion, ServerPeerInfo,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RunningService, ServiceError};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{Peer, RoleClient};
use storage::ToolDefinition;

use self::listing::Listing;
use self::trouble::Trouble;
use self::watched::{Seen, Watched};
use crate::servers::UpstreamHeader;
use crate::{Control, ServerState};

/// For everything together. Somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// For saying goodbye: a session that is not ended ends by itself.
const GOODBYE: Duration = Duration::from_secs(1);

/// What a look at an upstream found.
#[derive(Debug)]
pub(crate) struct Sight {
    pub(crate) state: ServerState,
    /// The same in a sentence that says what to do.
    pub(crate) message: String,
    pub(crate) protocol_version: Option<String>,
    /// What it calls itself, with its version.
    pub(crate) upstream_name: Option<String>,
    /// In its own order; empty unless it is ready.
    pub(crate) tools: Vec<ToolDefinition>,
}

impl Control {
    /// Looks at the upstream. Never fails: what goes wrong is what was found.
    pub(crate) async fn look(&self, url: &UpstreamUrl, headers: &[UpstreamHeader]) -> Sight {
        look_within(PATIENCE, &self.parts().egress, url, headers).await
    }
}

async fn look_within(
    patience: Duration,
    egress: &egress::Client,
    url: &UpstreamUrl,
    headers: &[UpstreamHeader],
) -> Sight {
    let looked = tokio::time::timeout(patience, talk(egress, url, headers)).await;
    match looked.unwrap_or(Err(Trouble::Slow)) {
        Ok(sight) => sight,
        Err(trouble) => {
            let (state, message) = trouble.words(!headers.is_empty());
            Sight { state, message, protocol_version: None, upstream_name: None, tools: Vec::new() }
        }
    }
}

async fn talk(
    egress: &egress::Client,
    url: &UpstreamUrl,
    headers: &[UpstreamHeader],
) -> Result<Sight, Trouble> {
    egress.check(url).await?;
    let seen = Seen::default();
    let client = Watched::new(egress.http_client(url)?, egress.clone(), seen.clone());
    let custom: HashMap<_, _> =
        headers.iter().map(|header| (header.name.clone(), header.value.clone())).collect();
    let config = StreamableHttpClientTransportConfig::with_uri(url.as_str()).custom_headers(custom);
    let transport = StreamableHttpClientTransport::with_client(client, config);
    // The library says that something went wrong; what it was is in the first trouble that the client met.
    let told = |otherwise: Trouble| seen.first().unwrap_or(otherwise);

    let mut info = ClientConfig::default();
    info.client_info = Implementation::new("tollgate", env!("CARGO_PKG_VERSION"));
    let lifecycle = ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::V_2025_11_25),
    };
    let mut running =
        info.serve_with_lifecycle(transport, lifecycle).await.map_err(|_| told(Trouble::NotMcp))?;
    let listed = list(running.peer(), &seen).await.map_err(|trouble| match trouble {
        Trouble::NotMcp => told(trouble),
        other => other,
    });
    let peer = running.peer().peer_info();
    say_goodbye(&mut running).await;
    Ok(Sight::ready(listed?, peer.as_deref()))
}

/// All pages of the tool list.
async fn list(peer: &Peer<RoleClient>, seen: &Seen) -> Result<Vec<ToolDefinition>, Trouble> {
    let mut listing = Listing::default();
    let mut cursor = None;
    loop {
        let mut page = PaginatedRequestParams::default();
        page.cursor = cursor;
        match peer.list_tools(Some(page)).await {
            Ok(result) => {
                listing.add(result.tools, &seen.executions())?;
                cursor = result.next_cursor;
                if cursor.is_none() {
                    return Ok(listing.tools);
                }
            }
            // A server without tools need not know the method.
            Err(ServiceError::McpError(error)) if error.code == ErrorCode::METHOD_NOT_FOUND => {
                return Ok(listing.tools);
            }
            Err(_) => return Err(Trouble::NotMcp),
        }
    }
}

async fn say_goodbye(running: &mut RunningService<RoleClient, ClientConfig>) {
    if running.close_with_timeout(GOODBYE).await.is_err() {
        tracing::debug!("the look at an upstream did not end by itself");
    }
}

impl Sight {
    fn ready(tools: Vec<ToolDefinition>, peer: Option<&ServerPeerInfo>) -> Self {
        let name = peer.and_then(|peer| peer.server_info.as_ref()).map(|info| {
            let name = format!("{} {}", info.name, info.version);
            name.chars().filter(|c| !c.is_control()).take(200).collect()
        });
        let message = match tools.len() {
            0 => "Ready, but it lists no tools.".to_owned(),
            1 => "Ready. It lists 1 tool.".to_owned(),
            count => format!("Ready. It lists {count} tools."),
        };
        Self {
            state: ServerState::Ready,
            message,
            protocol_version: peer.map(|peer| peer.protocol_version.as_str().chars().take(40).collect()),
            upstream_name: name,
            tools,
        }
    }
}
