//! The management API as a program uses it: sign-up, then an API key for everything else.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The password of whoever signs up here.
pub const PASSWORD: &str = "correct horse battery staple";

/// One organisation, through its API key.
#[derive(Clone, Debug)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// A minted grant.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its id.
    pub id: String,
    /// `tg_grant_...`.
    pub token: String,
}

impl Api {
    /// A new organisation on the process at `url`, with an API key of its own.
    pub async fn sign_up(url: &str) -> Self {
        Self::sign_up_as(url, "ada@example.com", "Acme").await
    }

    /// The same, of this person.
    pub async fn sign_up_as(url: &str, email: &str, organisation: &str) -> Self {
        let nobody =
            Self { http: reqwest::Client::new(), base: format!("{url}/api/v1"), token: String::new() };
        let person = json!({ "email": email, "password": PASSWORD, "organisation": organisation });
        let session = nobody.post("/sign-up", person).await;
        let organisation = json!({ "organisation": session["organisation"] });
        let token = nobody.with(&session["token"]).post("/tokens", organisation).await;
        let person = nobody.with(&token["access_token"]);
        let key = person.post("/keys", json!({ "label": "tests", "role": "admin" })).await;
        person.with(&key["token"])
    }

    fn with(&self, token: &Value) -> Self {
        Self { token: token.as_str().unwrap().to_owned(), ..self.clone() }
    }

    /// Sends one request: status and body.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        self.try_send(method, path, body).await.unwrap()
    }

    /// The same, where nobody may be there to answer.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    async fn done(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.send(method.clone(), path, body).await;
        assert!(status.is_success(), "{method} {path}: {status} {answer}");
        answer
    }

    /// GET that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        self.done(Method::GET, path, None).await
    }

    /// POST that must succeed.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.done(Method::POST, path, Some(body)).await
    }

    /// PUT that must succeed.
    pub async fn put(&self, path: &str, body: Value) -> Value {
        self.done(Method::PUT, path, Some(body)).await
    }

    /// Registers the upstream at `url`, which wants `headers`: the server's id.
    pub async fn register(&self, name: &str, url: &str, headers: &[(&str, &str)]) -> String {
        let headers: Vec<Value> =
            headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        let server = json!({ "name": name, "upstream_url": url, "headers": headers });
        let server = self.post("/servers", server).await;
        assert_eq!(server["state"], "ready", "{server}");
        server["id"].as_str().unwrap().to_owned()
    }

    /// Makes a policy of the server: its id.
    pub async fn policy(&self, server: &str, name: &str, document: &Value) -> String {
        let policy = json!({ "name": name, "document": document });
        let policy = self.post(&format!("/servers/{server}/policies"), policy).await;
        policy["id"].as_str().unwrap().to_owned()
    }

    /// Mints a grant that `policy` judges.
    pub async fn mint(&self, server: &str, policy: &str, label: &str) -> Grant {
        let grant =
            json!({ "label": label, "identity": format!("{label}@example.com"), "policy_id": policy });
        let minted = self.post(&format!("/servers/{server}/grants"), grant).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Grant { id: text(&minted["grant"]["id"]), token: text(&minted["token"]) }
    }

    /// Every row of the log that fits `filter`, such as `&tool=x`, over all pages.
    pub async fn decisions(&self, filter: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("/audit/decisions?limit=200{filter}{cursor}")).await;
            rows.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}
