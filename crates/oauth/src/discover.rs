//! From the address of a server to who issues its tokens, and what to ask for.

use bytes::Bytes;
use domain::UpstreamUrl;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};

use crate::challenge::Challenge;
use crate::error::Error;
use crate::resource;
use crate::scope::Scopes;
use crate::server::AuthorizationServer;

/// What a server wants of whoever calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The name of the resource, as it goes into every request for a token.
    pub resource: String,
    /// Who issues its tokens.
    pub server: AuthorizationServer,
    /// What to ask for: what the challenge names, else what the metadata lists, else nothing.
    pub scopes: Scopes,
}

/// Finds out who issues tokens for the server at `upstream`. Of several authorization servers one of `preferred`
/// is taken, where this installation is registered already; else the first.
pub async fn discover(
    egress: &egress::Client,
    upstream: &UpstreamUrl,
    challenge: Option<&Challenge>,
    preferred: &[String],
) -> Result<Discovery, Error> {
    let announced = challenge.and_then(|challenge| challenge.resource_metadata.as_deref());
    let resource = match resource::find(egress, upstream, announced).await {
        // It wants a token, and says nothing of who issues it: a server of the first revision.
        Err(Error::NoResourceMetadata) if announced.is_none() && challenge.is_some() => {
            return beside(egress, upstream, challenge).await;
        }
        other => other?,
    };
    let known = resource.authorization_servers.iter().find(|issuer| preferred.contains(issuer));
    let issuer = known.or(resource.authorization_servers.first()).ok_or(Error::NoAuthorizationServer)?;
    let server = AuthorizationServer::find(egress, issuer).await?;
    let challenged = challenge.and_then(|challenge| challenge.scopes.clone());
    let wanted = challenged.or(resource.scopes).unwrap_or_default();
    let scopes = wanted.renewable(server.scopes.as_ref());
    Ok(Discovery { resource: resource.identifier, server, scopes })
}

/// What a server wants that publishes no metadata: a token of the authorization server at its own host.
async fn beside(
    egress: &egress::Client,
    upstream: &UpstreamUrl,
    challenge: Option<&Challenge>,
) -> Result<Discovery, Error> {
    let server = AuthorizationServer::beside(egress, upstream).await?;
    let wanted = challenge.and_then(|challenge| challenge.scopes.clone()).unwrap_or_default();
    let scopes = wanted.renewable(server.scopes.as_ref());
    Ok(Discovery { resource: upstream.as_str().to_owned(), server, scopes })
}

/// A question that every server that wants a token answers with a challenge, whichever revisions it speaks.
const QUESTION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"tollgate","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// Asks the server something without a token: its challenge, if it answers with one.
pub async fn probe(egress: &egress::Client, upstream: &UpstreamUrl) -> Result<Option<Challenge>, Error> {
    let fixed = HeaderValue::from_static;
    let mut request = Request::new(Bytes::from_static(QUESTION.as_bytes()));
    *request.method_mut() = http::Method::POST;
    *request.uri_mut() =
        upstream.as_str().parse().map_err(|_| Error::Unreadable("the server's address is none"))?;
    let headers = request.headers_mut();
    headers.insert(ACCEPT, fixed("application/json, text/event-stream"));
    headers.insert(CONTENT_TYPE, fixed("application/json"));
    headers.insert("mcp-protocol-version", fixed("2026-07-28"));
    headers.insert("mcp-method", fixed("tools/list"));
    let sent = tokio::time::timeout(egress.document_timeout(), egress.send(request)).await;
    let answered = sent.unwrap_or(Err(egress::EgressError::Timeout(egress::Phase::FirstByte)));
    let response = answered.map_err(|error| Error::Unreachable { what: "the server", error })?;
    let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    Ok(Challenge::read(response.headers()).filter(|_| refused))
}
