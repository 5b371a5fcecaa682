//! An API with a database and a Redis of its own, organisations in it, and an upstream to register.

use std::time::Duration;

use api::ApiState;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use control::{Control, ControlParts};
use domain::Clock;
use egress::EgressConfig;
use flowforge_sim::{Engine, Options};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use testkit::{Question, TestDb};
use tower::ServiceExt;
use vault::{Entropy, Keyring};

use crate::conformity;
use crate::decisions::tenant;

/// What people sign up with.
pub const PASSWORD: &str = "correct horse battery";

/// The front door, alone in its world.
pub struct Api {
    router: Router,
    state: ApiState,
    pub database: TestDb,
    keyring: Keyring,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null unless it is JSON.
    pub body: Value,
}

/// An organisation, by what its owner can prove who they are with.
pub struct Organisation {
    pub session: String,
    /// An access token of the owner's log-in.
    pub owner: String,
}

impl Api {
    /// A new one; nothing of it is shared with another test.
    pub async fn start() -> Self {
        let database = testkit::database().await;
        let ledger = testkit::redis().ledger(Clock::System).await;
        let keyring: Keyring = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().unwrap();
        let public_url = "https://tollgate.example".to_owned();
        let control = Control::new(ControlParts {
            storage: database.storage.clone(),
            ledger,
            signer: vault::jwt::Signer::new(&keyring, &public_url, &format!("{public_url}/api/v1")).unwrap(),
            keyring: keyring.clone(),
            egress: egress::Client::new(EgressConfig {
                allow_private: true,
                first_byte_timeout: Duration::from_secs(5),
                ..EgressConfig::default()
            })
            .unwrap(),
            clock: Clock::System,
            entropy: Entropy::System,
            public_url,
            client_metadata: true,
            demo_upstream: None,
        });
        let state = ApiState::new(control, Clock::System, Entropy::System);
        Self { router: api::router(state.clone()), state, database, keyring }
    }

    /// Gives requests so long from now on.
    pub fn within(&mut self, patience: Duration) {
        self.router = api::router(self.state.clone().within(patience));
    }

    /// Sends a request as it is, and holds the answer against the document.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().to_string(), request.uri().to_string());
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        };
        conformity::check(&method, &path, &answer);
        answer
    }

    /// Sends `body`, if there is one, as `token`, if that is not empty.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.call(Method::GET, path, token, None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call(Method::POST, path, token, Some(body)).await
    }

    /// Signs somebody up, with an organisation of this name.
    pub async fn organisation(&self, name: &str) -> Organisation {
        let email = format!("{}@example.com", name.to_lowercase());
        let body = json!({"email": email, "password": PASSWORD, "organisation": name});
        let signed_up = self.post("/api/v1/sign-up", "", body).await.expect(201);
        let session = signed_up["token"].as_str().unwrap().to_owned();
        let body = json!({"organisation": signed_up["organisation"]});
        let token = self.post("/api/v1/tokens", &session, body).await.expect(201);
        Organisation { session, owner: token["access_token"].as_str().unwrap().to_owned() }
    }

    /// An API key of an organisation with this role.
    pub async fn key(&self, organisation: &Organisation, role: &str) -> String {
        let body = json!({"label": format!("{role} key"), "role": role});
        let key = self.post("/api/v1/keys", &organisation.owner, body).await.expect(201);
        key["token"].as_str().unwrap().to_owned()
    }

    /// Registers the demo upstream; the server's id.
    pub async fn server(&self, organisation: &Organisation, name: &str) -> String {
        let body = json!({"name": name, "upstream_url": upstream().await});
        let server = self.post("/api/v1/servers", &organisation.owner, body).await.expect(201);
        assert_eq!(server["state"], "ready", "{server}");
        server["id"].as_str().unwrap().to_owned()
    }

    /// Makes a policy that allows reading; its id.
    pub async fn policy(&self, organisation: &Organisation, server: &str) -> String {
        let path = format!("/api/v1/servers/{server}/policies");
        let body = json!({"name": "read only", "document": read_only()});
        let policy = self.post(&path, &organisation.owner, body).await.expect(201);
        policy["id"].as_str().unwrap().to_owned()
    }

    /// Lets a call of the grant wait for a person; the approval's id.
    pub async fn question(
        &self,
        organisation: &Organisation,
        server: &str,
        grant: &str,
        arguments: &str,
    ) -> String {
        let at = Clock::System.now();
        let question = Question {
            tenant: tenant(self, organisation).await,
            server: server.parse().unwrap(),
            grant: grant.parse().unwrap(),
            policy: None,
            tool: "flowforge_retry_run",
            arguments,
            decision: Entropy::System.id(at),
            at,
        };
        question.ask(&self.database.storage, &self.keyring).await.to_string()
    }

    /// Mints a grant under a policy; its id.
    pub async fn grant(&self, organisation: &Organisation, server: &str, policy: &str) -> String {
        let path = format!("/api/v1/servers/{server}/grants");
        let body = json!({"label": "CI bot", "identity": "ci@example.com", "policy_id": policy});
        let minted = self.post(&path, &organisation.owner, body).await.expect(201);
        minted["grant"]["id"].as_str().unwrap().to_owned()
    }
}

impl Answer {
    /// The body, when the status is the one expected.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where something is wrong, with the sentence: `/name is missing: add it`.
    pub fn errors(&self) -> Vec<String> {
        let said = |error: &Value| {
            let place = error["pointer"].as_str().or(error["parameter"].as_str()).unwrap();
            format!("{place} {}", error["detail"].as_str().unwrap())
        };
        self.body["errors"].as_array().into_iter().flatten().map(said).collect()
    }
}

/// The address of a demo upstream of this test's own.
pub async fn upstream() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = flowforge_sim::router(Engine::new(), Options::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/mcp")
}

/// A policy document.
pub fn read_only() -> Value {
    json!({
        "version": "1",
        "default": "deny",
        "tools": {"flowforge_list_*": {}, "flowforge_get_*": {}}
    })
}

/// JSON for a snapshot: what differs from run to run is replaced by what it is.
pub fn shown(value: &Value) -> String {
    serde_json::to_string_pretty(&redacted(value)).unwrap()
}

fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| (key.clone(), redacted(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(redacted).collect(),
        Value::String(text) => redacted_text(text).into(),
        other => other.clone(),
    }
}

fn redacted_text(text: &str) -> String {
    if let Some(kind) = vault::TokenKind::claimed(text) {
        return format!("{}[{}]", kind.prefix(), if text.contains('…') { "hint" } else { "token" });
    }
    if text.starts_with("eyJ") {
        return "[jwt]".to_owned();
    }
    if chrono::DateTime::parse_from_rfc3339(text).is_ok() {
        return "[time]".to_owned();
    }
    // Ids and ports also stand inside of addresses.
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = (0..rest.len()).find(|at| rest.get(*at..at + 36).is_some_and(is_id)) {
        shown.push_str(&rest[..at]);
        shown.push_str("[id]");
        rest = &rest[at + 36..];
    }
    shown.push_str(rest);
    match shown.split_once("127.0.0.1:") {
        Some((before, after)) => {
            format!("{before}127.0.0.1:[port]{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => shown,
    }
}

fn is_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok()
}

#[test]
fn what_differs_from_run_to_run_is_not_shown() {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let value = json!({"a": id, "b": format!("http://127.0.0.1:4711/mcp/{id}"), "c": "2026-10-04T12:00:00Z"});
    assert_eq!(
        redacted(&value),
        json!({"a": "[id]", "b": "http://127.0.0.1:[port]/mcp/[id]", "c": "[time]"})
    );
}
