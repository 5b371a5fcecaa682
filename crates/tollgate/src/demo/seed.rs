//! Seeds the demo's organisation: a person, the demo server, a policy, a grant. Through the public API alone; what is
//! there from an earlier run is used again, but for the grant, whose token is known once only.

use anyhow::bail;
use domain::Secret;
use http::StatusCode;
use serde_json::{Value, json};

use super::api::{Api, text};

/// Who logs in to the demo.
pub const EMAIL: &str = "demo@example.com";
const ORGANISATION: &str = "Demo";
const SERVER: &str = "Flowforge (demo)";
const POLICY: &str = "On-call agent";

/// What the agent is held to: reads allowed, retries counted, events refused, deletion hidden, the rest denied.
const DOCUMENT: &str = include_str!("policy.json");

/// What was seeded.
pub struct Seeded {
    /// The API, called as the demo's person.
    pub api: Api,
    /// The organisation's part of the address.
    pub slug: String,
    /// The demo server.
    pub server: String,
    /// The new grant.
    pub grant: String,
    /// Its token.
    pub token: Secret<String>,
    /// Tools that the server has.
    pub tools: usize,
}

/// Seeds everything.
///
/// # Errors
/// The API refuses something, which it says why.
pub async fn run(api: &Api, password: &str, upstream: &str) -> anyhow::Result<Seeded> {
    let (api, slug) = log_in(api, password).await?;
    let server = server(&api, upstream).await?;
    let tools = api.get(&format!("/servers/{server}/tools")).await?;
    let policy = policy(&api, &server).await?;
    let grant = json!({"label": "Demo agent", "identity": "on-call-agent", "policy_id": policy});
    let minted = api.post(&format!("/servers/{server}/grants"), &grant).await?;
    Ok(Seeded {
        slug,
        grant: text(&minted, "/grant/id")?,
        token: Secret::new(text(&minted, "/token")?),
        tools: items(&tools).len(),
        api,
        server,
    })
}

/// Signs up, or logs in when the demo ran before.
async fn log_in(api: &Api, password: &str) -> anyhow::Result<(Api, String)> {
    let sign_up = json!({"email": EMAIL, "password": password, "organisation": ORGANISATION});
    let (status, mut session) = api.try_post("/sign-up", &sign_up).await?;
    if status != StatusCode::CREATED {
        let (status, answer) =
            api.try_post("/sessions", &json!({"email": EMAIL, "password": password})).await?;
        if !status.is_success() {
            bail!("neither signing up nor logging in works: {session}, {answer}");
        }
        session = answer;
    }
    let slug = text(&session, "/organisation")?;
    let session = api.with_token(&text(&session, "/token")?);
    let access = session.post("/tokens", &json!({"organisation": slug})).await?;
    Ok((api.with_token(&text(&access, "/access_token")?), slug))
}

async fn server(api: &Api, upstream: &str) -> anyhow::Result<String> {
    let servers = api.get("/servers").await?;
    if let Some(server) = named(&servers, SERVER) {
        let id = text(server, "/id")?;
        // The demo upstream may listen on another port than last time.
        if server["upstream_url"] != upstream {
            api.patch(&format!("/servers/{id}"), &json!({"upstream_url": upstream})).await?;
        }
        return Ok(id);
    }
    let entries = api.get("/catalogue").await?;
    let entry = items(&entries).iter().find(|entry| entry["name"] == SERVER).map(|entry| entry["id"].clone());
    let server = json!({"name": SERVER, "upstream_url": upstream, "catalogue_entry": entry});
    text(&api.post("/servers", &server).await?, "/id")
}

async fn policy(api: &Api, server: &str) -> anyhow::Result<String> {
    let path = format!("/servers/{server}/policies");
    let policies = api.get(&path).await?;
    if let Some(policy) = named(&policies, POLICY) {
        return text(policy, "/id");
    }
    text(&api.post(&path, &json!({"name": POLICY, "document": DOCUMENT})).await?, "/id")
}

fn items(page: &Value) -> &[Value] {
    page["items"].as_array().map_or(&[], Vec::as_slice)
}

fn named<'a>(page: &'a Value, name: &str) -> Option<&'a Value> {
    items(page).iter().find(|item| item["name"] == name)
}
