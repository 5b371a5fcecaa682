//! The demo's way to the management API: the same requests that any program makes, and nothing behind its back.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde_json::Value;

/// Longest answer that the demo reads.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// A caller of the API, with the token it calls with.
pub struct Api {
    egress: egress::Client,
    base: String,
    token: Option<String>,
}

impl Api {
    /// Calls the API under `base`, without a token at first.
    pub fn new(egress: egress::Client, base: &str) -> Self {
        Self { egress, base: base.trim_end_matches('/').to_owned(), token: None }
    }

    /// The same API, called with `token`.
    pub fn with_token(&self, token: &str) -> Self {
        Self { egress: self.egress.clone(), base: self.base.clone(), token: Some(token.to_owned()) }
    }

    /// The answer to a GET.
    ///
    /// # Errors
    /// No answer, or one that is not a success.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        let (status, answer) = self.send(Method::GET, path, None).await?;
        succeeded(path, status, answer)
    }

    /// The answer to a POST.
    ///
    /// # Errors
    /// No answer, or one that is not a success.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.send(Method::POST, path, Some(body)).await?;
        succeeded(path, status, answer)
    }

    /// The answer to a PATCH.
    ///
    /// # Errors
    /// No answer, or one that is not a success.
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let (status, answer) = self.send(Method::PATCH, path, Some(body)).await?;
        succeeded(path, status, answer)
    }

    /// The answer to a POST, with its status, whatever it is.
    ///
    /// # Errors
    /// No answer in JSON.
    pub async fn try_post(&self, path: &str, body: &Value) -> anyhow::Result<(StatusCode, Value)> {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = Request::builder().method(method).uri(format!("{}/api/v1{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(serde_json::to_vec(body)?)
            }
            None => Bytes::new(),
        };
        let response =
            self.egress.send(request.body(body)?).await.with_context(|| format!("{path} has no answer"))?;
        let status = response.status();
        let answer =
            response.into_body().read(MAX_ANSWER).await.with_context(|| format!("{path} broke off"))?;
        let answer = if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer)? };
        Ok((status, answer))
    }
}

fn succeeded(path: &str, status: StatusCode, answer: Value) -> anyhow::Result<Value> {
    if !status.is_success() {
        // A problem's text names fields and reasons, never a secret.
        bail!("{path} answered {status}: {answer}");
    }
    Ok(answer)
}

/// The text at a JSON Pointer of an answer.
///
/// # Errors
/// There is none.
pub fn text(answer: &Value, pointer: &str) -> anyhow::Result<String> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.map(str::to_owned).with_context(|| format!("an answer has no text at {pointer}"))
}
