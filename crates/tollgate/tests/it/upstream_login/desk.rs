//! Somebody else's service: the demo upstream behind OAuth, with an authorization server that rotates refresh tokens and
//! takes the reuse of one as theft.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use axum::extract::{Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flowforge_sim::{Engine, Options};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The tool that wants a scope beyond the basic one, and that scope.
pub const GUARDED: (&str, &str) = ("flowforge_list_credentials", "credentials");

/// The service, and what happened there.
#[derive(Clone)]
pub struct Desk {
    pub base: String,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    /// How long access tokens live that are given from now on.
    life: Duration,
    /// Whether refresh tokens work.
    renews: bool,
    /// Whether good access tokens are let in.
    open: bool,
    /// Code to PKCE challenge, redirect address and scopes.
    codes: HashMap<String, (String, String, String)>,
    access: HashMap<String, (Instant, String)>,
    /// Each live refresh token, with its scopes.
    refresh: HashMap<String, String>,
    seen: BTreeMap<&'static str, usize>,
    next: usize,
}

type Fields = HashMap<String, String>;

impl Desk {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inner = Inner {
            life: Duration::from_hours(1),
            renews: true,
            open: true,
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            seen: BTreeMap::new(),
            next: 0,
        };
        let base = format!("http://{}", listener.local_addr().unwrap());
        let desk = Self { base, inner: Arc::new(Mutex::new(inner)) };
        let sim = flowforge_sim::router(Engine::new(), Options::default());
        let app = Router::new()
            .route("/.well-known/oauth-protected-resource/mcp/json", get(resource))
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .with_state(desk.clone())
            .merge(sim.layer(from_fn_with_state(desk.clone(), guard)));
        tokio::spawn(async move { axum::serve(listener, app).await });
        desk
    }

    pub fn mcp(&self) -> String {
        format!("{}/mcp/json", self.base)
    }

    /// Access tokens given from now on live so long.
    pub fn live(&self, life: Duration) {
        self.inner().life = life;
    }

    /// Every refresh token works, or none.
    pub fn renews(&self, renews: bool) {
        self.inner().renews = renews;
    }

    /// Good access tokens are let in, or nobody is.
    pub fn lets(&self, open: bool) {
        self.inner().open = open;
    }

    /// How often something happened: `register`, `code`, `own`, `refresh`, `reuse`, `revoke`, `call`.
    pub fn seen(&self, what: &'static str) -> usize {
        self.inner().seen.get(what).copied().unwrap_or_default()
    }

    /// Whether an access token is still good.
    pub fn lets_in(&self) -> bool {
        let now = Instant::now();
        self.inner().access.values().any(|(end, _)| *end > now)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    fn count(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    fn name(&mut self, kind: &str) -> String {
        self.next += 1;
        format!("{kind}-{}", self.next)
    }

    fn grant(&mut self, scopes: &str) -> Response {
        let (access, refresh) = (self.name("access"), self.name("refresh"));
        self.access.insert(access.clone(), (Instant::now() + self.life, scopes.to_owned()));
        self.refresh.insert(refresh.clone(), scopes.to_owned());
        let body = json!({
            "access_token": access, "token_type": "Bearer", "expires_in": self.life.as_secs(),
            "refresh_token": refresh, "scope": scopes,
        });
        Json(body).into_response()
    }
}

async fn resource(State(desk): State<Desk>) -> Json<Value> {
    Json(json!({
        "resource": desk.mcp(), "authorization_servers": [desk.base], "scopes_supported": ["runs"],
    }))
}

async fn metadata(State(desk): State<Desk>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", desk.base);
    Json(json!({
        "issuer": desk.base,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "revocation_endpoint": at("/revoke"),
        "registration_endpoint": at("/register"),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn register(State(desk): State<Desk>, Json(body): Json<Value>) -> Response {
    desk.inner().count("register");
    assert_eq!(body["application_type"], "web");
    let client = json!({ "client_id": "tollgate", "client_secret": "s:cret" });
    (StatusCode::CREATED, Json(client)).into_response()
}

/// Lets everybody in who comes.
async fn authorize(State(desk): State<Desk>, Query(query): Query<Fields>) -> Redirect {
    assert_eq!((query["client_id"].as_str(), query["resource"].as_str()), ("tollgate", desk.mcp().as_str()));
    assert_eq!(query["code_challenge_method"], "S256");
    let mut inner = desk.inner();
    let code = inner.name("code");
    let scopes = query.get("scope").cloned().unwrap_or_default();
    inner
        .codes
        .insert(code.clone(), (query["code_challenge"].clone(), query["redirect_uri"].clone(), scopes));
    let mut back: url::Url = query["redirect_uri"].parse().unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &query["state"])
        .append_pair("iss", &desk.base);
    Redirect::to(back.as_str())
}

async fn token(State(desk): State<Desk>, headers: HeaderMap, Form(form): Form<Fields>) -> Response {
    let no = |error: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let expected = format!("Basic {}", STANDARD.encode("tollgate:s%3Acret"));
    if headers.get(AUTHORIZATION).is_none_or(|value| value.as_bytes() != expected.as_bytes()) {
        return no("invalid_client");
    }
    assert_eq!(form["resource"], desk.mcp());
    let mut inner = desk.inner();
    match form["grant_type"].as_str() {
        "authorization_code" => {
            let Some((challenge, redirect, scopes)) = inner.codes.remove(&form["code"]) else {
                return no("invalid_grant");
            };
            inner.count("code");
            let proof = URL_SAFE_NO_PAD.encode(vault::sha256(form["code_verifier"].as_bytes()));
            assert_eq!((proof, &redirect), (challenge, &form["redirect_uri"]));
            inner.grant(&scopes)
        }
        "refresh_token" => {
            let Some(scopes) = inner.refresh.remove(&form["refresh_token"]) else {
                inner.count("reuse");
                return no("invalid_grant");
            };
            if !inner.renews {
                return no("invalid_grant");
            }
            inner.count("refresh");
            inner.grant(&scopes)
        }
        "client_credentials" => {
            inner.count("own");
            inner.grant(form.get("scope").map_or("", String::as_str))
        }
        _ => no("unsupported_grant_type"),
    }
}

/// Takes a token back.
async fn revoke(State(desk): State<Desk>, Form(form): Form<Fields>) -> StatusCode {
    let mut inner = desk.inner();
    inner.count("revoke");
    inner.refresh.remove(&form["token"]);
    inner.access.remove(&form["token"]);
    StatusCode::OK
}

/// Before the upstream: a token, and for one tool a scope.
async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let now = Instant::now();
    let text = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = text.and_then(|text| text.strip_prefix("Bearer ")).unwrap_or_default();
    let known = {
        let inner = desk.inner();
        inner.access.get(token).filter(|(end, _)| inner.open && *end > now).cloned()
    };
    let metadata = format!("{}/.well-known/oauth-protected-resource/mcp/json", desk.base);
    let Some((_, scopes)) = known else {
        let challenge = format!("Bearer resource_metadata=\"{metadata}\", scope=\"runs\"");
        return (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response();
    };
    let tool = request.headers().get("mcp-name").and_then(|value| value.to_str().ok());
    if tool == Some(GUARDED.0) && !scopes.split(' ').any(|scope| scope == GUARDED.1) {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{}\"", GUARDED.1);
        return (StatusCode::FORBIDDEN, [(WWW_AUTHENTICATE, challenge)]).into_response();
    }
    desk.inner().count("call");
    next.run(request).await
}
