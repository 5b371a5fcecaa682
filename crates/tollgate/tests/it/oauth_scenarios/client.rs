//! A client of an MCP server that wants a token: calls, is challenged, connects, calls again.

use std::collections::HashMap;

use bytes::Bytes;
use domain::{Clock, Secret, UpstreamUrl};
use egress::EgressConfig;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Request, Response, StatusCode};
use oauth::{Answer, Authorization, Challenge, Client, Desk, Installation, Scopes};
use serde::Deserialize;
use serde_json::{Value, json};
use vault::Entropy;

/// The client id that the suite looks for where clients are known by their metadata.
const METADATA: &str = "https://conformance-test.local/client-metadata.json";
/// How often one request may lead to a token before it is given up.
const AUTHORIZATIONS: usize = 3;

/// What the suite wants done.
#[derive(Deserialize)]
pub struct Task {
    url: String,
    pub scenario: String,
    version: String,
    #[serde(default)]
    context: Context,
}

/// A client that the operator registered.
#[derive(Default, Deserialize)]
struct Context {
    client_id: Option<String>,
    client_secret: Option<String>,
    issuer: Option<String>,
    private_key_pem: Option<String>,
}

struct Caller {
    egress: egress::Client,
    upstream: UpstreamUrl,
    version: String,
    context: Context,
    installation: Installation,
    /// By issuer.
    clients: HashMap<String, Client>,
    asked: Scopes,
    /// Nobody is sent away: the client gets a token of its own.
    asks_itself: bool,
    token: Option<Secret<String>>,
    next_id: u32,
}

/// Lists the server's tools and calls one.
pub async fn run(task: Task) -> Result<(), String> {
    let config = EgressConfig { allow_private: true, ..EgressConfig::default() };
    let metadata_url = Some(METADATA.to_owned());
    let mut caller = Caller {
        egress: egress::Client::new(config).map_err(|error| error.to_string())?,
        upstream: task.url.parse().map_err(|_| "no address")?,
        version: task.version,
        context: task.context,
        installation: Installation { metadata_url, ..Installation::at("http://127.0.0.1:8480") },
        clients: HashMap::new(),
        asked: Scopes::default(),
        asks_itself: task.scenario.starts_with("auth/client-credentials"),
        token: None,
        next_id: 1,
    };
    if !caller.is_modern() {
        let client = json!({ "name": "tollgate", "version": "1" });
        let hello = json!({ "protocolVersion": caller.version, "capabilities": {}, "clientInfo": client });
        caller.call("initialize", hello).await?;
        caller.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
    }
    caller.call("tools/list", json!({})).await?;
    caller.call("tools/call", json!({ "name": "test-tool", "arguments": {} })).await
}

impl Caller {
    fn is_modern(&self) -> bool {
        self.version.as_str() >= "2026-07-28"
    }

    /// One request, with as many tokens as it takes within reason.
    async fn call(&mut self, method: &str, mut params: Value) -> Result<(), String> {
        if self.is_modern() {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": self.version,
                "io.modelcontextprotocol/clientInfo": { "name": "tollgate", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        for _ in 0..=AUTHORIZATIONS {
            let message = json!({ "jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params });
            self.next_id += 1;
            let answer = self.post(&message).await?;
            let challenge = Challenge::read(answer.headers());
            match answer.status() {
                status if status.is_success() => return Ok(()),
                StatusCode::UNAUTHORIZED => self.connect(challenge.as_ref(), None).await?,
                StatusCode::FORBIDDEN => {
                    let challenged = challenge.as_ref().filter(|challenge| challenge.is_insufficient_scope());
                    let more =
                        challenged.and_then(|challenge| challenge.scopes.as_ref()).ok_or("forbidden")?;
                    let wanted = self.asked.step_up(more).ok_or("asking again would not help")?;
                    self.connect(challenge.as_ref(), Some(wanted)).await?;
                }
                status => return Err(format!("{method}: {status}")),
            }
        }
        Err(format!("{method}: no token is good enough"))
    }

    fn desk(&self) -> Desk<'_> {
        Desk { egress: &self.egress, now: Clock::System.now(), entropy: &Entropy::System }
    }

    async fn post(&self, message: &Value) -> Result<Response<Bytes>, String> {
        let mut request = Request::post(self.upstream.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        let method = message["method"].as_str().unwrap_or_default();
        if method != "initialize" {
            request = request.header("mcp-protocol-version", &self.version);
        }
        if self.is_modern() {
            request = request.header("mcp-method", method);
            if let Some(name) = message["params"]["name"].as_str() {
                request = request.header("mcp-name", name);
            }
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let request = request.body(Bytes::from(message.to_string())).map_err(|error| error.to_string())?;
        let response = self.egress.send(request).await.map_err(|error| error.to_string())?;
        let (head, body) = response.into_parts();
        let body = body.read(1 << 20).await.map_err(|error| error.to_string())?;
        Ok(Response::from_parts(head, body))
    }

    /// Gets a token, as the control plane does it with a person in between.
    async fn connect(&mut self, challenge: Option<&Challenge>, wanted: Option<Scopes>) -> Result<(), String> {
        let text = |error: oauth::Error| error.to_string();
        let discovery = oauth::discover(&self.egress, &self.upstream, challenge, &[]).await.map_err(text)?;
        let scopes = wanted.unwrap_or_default().union(&discovery.scopes);
        let client = self.client(&discovery.server).await.map_err(text)?;
        let redirect_uri = &self.installation.redirect_uri;
        if self.asks_itself {
            let scopes = scopes.online();
            let granted =
                oauth::ask_as_client(self.desk(), &discovery, &scopes, &client).await.map_err(text)?;
            self.token = Some(granted.access);
            return Ok(());
        }
        let authorization =
            Authorization::begin(&discovery, scopes.clone(), client, redirect_uri, &Entropy::System);
        self.asked = scopes;
        let query = self.visit(authorization.url.as_str()).await?;
        let answer = Answer::read(&query);
        if answer.state() != Some(authorization.state.expose().as_str()) {
            return Err("the answer is to another question".to_owned());
        }
        let code = answer.code(&authorization.pending).map_err(text)?;
        let granted = oauth::redeem(self.desk(), &authorization.pending, code).await.map_err(text)?;
        self.token = Some(granted.access);
        Ok(())
    }

    /// Who this is to the authorization server: what is known there, what it can read, or what it registers.
    async fn client(&mut self, server: &oauth::AuthorizationServer) -> Result<Client, oauth::Error> {
        // Where the suite names no issuer, the client is one of whoever is found.
        let here = self.context.issuer.as_ref().is_none_or(|issuer| *issuer == server.issuer);
        if let Some(id) = self.context.client_id.as_ref().filter(|_| here) {
            let secret = self.context.client_secret.clone().or(self.context.private_key_pem.clone());
            return Client::by_hand(id.clone(), secret.map(Secret::new), None, server);
        }
        if let Some(known) = self.clients.get(&server.issuer) {
            return Ok(known.clone());
        }
        if let Some(client) = self.installation.client(server) {
            return Ok(client);
        }
        let client = oauth::register(&self.egress, server, &self.installation).await?;
        self.clients.insert(server.issuer.clone(), client.clone());
        Ok(client)
    }

    /// What a browser would come back with.
    async fn visit(&self, url: &str) -> Result<String, String> {
        let request = Request::get(url).body(Bytes::new()).map_err(|error| error.to_string())?;
        let response = self.egress.send(request).await.map_err(|error| error.to_string())?;
        let back = location(response.headers()).ok_or("nobody is sent back")?;
        Ok(back.query().unwrap_or_default().to_owned())
    }
}

fn location(headers: &HeaderMap) -> Option<url::Url> {
    headers.get(LOCATION)?.to_str().ok()?.parse().ok()
}
