//! The client's HTTP, watched: the first thing that goes wrong is remembered, since the client tells only that it did; and of
//! lists of tools what the client does not know, and drops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::BodyExt;
use mcp::headers::{Content, SESSION_ID, content_of};
use mcp::sse::Parser;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};

use serde_json::Value;

use super::trouble::Trouble;

/// One SSE event may be this long: a page of tools.
const LONGEST_EVENT: usize = 8 << 20;

/// What was seen.
#[derive(Clone, Default)]
pub(super) struct Seen {
    first: Arc<OnceLock<Trouble>>,
    executions: Arc<Mutex<HashMap<String, Value>>>,
}

/// A client over another.
#[derive(Clone)]
pub(super) struct Watched<C> {
    inner: C,
    egress: egress::Client,
    seen: Seen,
}

impl Seen {
    /// The first trouble.
    pub(super) fn first(&self) -> Option<Trouble> {
        self.first.get().cloned()
    }

    /// The member `execution` of the tools listed, null where one has none; not here where that is not known.
    pub(super) fn executions(&self) -> HashMap<String, Value> {
        self.executions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes them from a message with the list.
    fn note(&self, message: &[u8]) {
        let message: Value = serde_json::from_slice(message).unwrap_or_default();
        let mut executions = self.executions.lock().unwrap_or_else(PoisonError::into_inner);
        for tool in message["result"]["tools"].as_array().into_iter().flatten() {
            if let Some(name) = tool["name"].as_str() {
                // The first of several with one name counts.
                executions.entry(name.to_owned()).or_insert_with(|| tool["execution"].clone());
            }
        }
    }
}

impl<C> Watched<C> {
    pub(super) fn new(inner: C, egress: egress::Client, seen: Seen) -> Self {
        Self { inner, egress, seen }
    }

    /// Asks for a page of tools and reads it before the client does. Nothing where it does not come as it should: what is wrong with it is for the client to say.
    async fn list(
        &self,
        uri: &str,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        headers: &HashMap<HeaderName, HeaderValue>,
    ) -> Option<StreamableHttpPostResponse> {
        let body = serde_json::to_vec(message).ok()?;
        let mut request = Request::post(uri).body(Bytes::from(body)).ok()?;
        let own = request.headers_mut();
        own.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
        own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        own.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        own.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(session) = session {
            own.insert(SESSION_ID, HeaderValue::try_from(session).ok()?);
        }
        let (head, body) = self.egress.send(request).await.ok()?.into_parts();
        let page = match content_of(&head.headers).ok().filter(|_| head.status.is_success())? {
            Content::Json => body.read(LONGEST_EVENT).await.ok()?,
            Content::Events => answer_in(body).await?,
            Content::Other => return None,
        };
        let answer = serde_json::from_slice(&page).ok()?;
        self.seen.note(&page);
        Some(StreamableHttpPostResponse::Json(answer, session.map(str::to_owned)))
    }
}

/// The first answer in a stream of events: none other was asked for.
async fn answer_in(mut body: egress::Body) -> Option<Bytes> {
    let mut parser = Parser::new(LONGEST_EVENT);
    loop {
        while let Some(event) = parser.next_event().ok()? {
            let data = event.data().cloned().unwrap_or_default();
            let message: Value = serde_json::from_slice(&data).unwrap_or_default();
            if message.get("result").or_else(|| message.get("error")).is_some() {
                return Some(data);
            }
        }
        parser.push(&body.frame().await?.ok()?.into_data().unwrap_or_default());
    }
}

impl<C: StreamableHttpClient + Sync> StreamableHttpClient for Watched<C> {
    type Error = C::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, StreamableHttpError<Self::Error>> {
        if let (JsonRpcMessage::Request(request), None) = (&message, &auth_header)
            && matches!(request.request, ClientRequest::ListToolsRequest(_))
            && let Some(page) = self.list(&uri, &message, session_id.as_deref(), &custom_headers).await
        {
            return Ok(page);
        }
        let posted = self
            .inner
            .post_message_with_max_sse_event_size(
                uri,
                message,
                session_id,
                auth_header,
                custom_headers,
                LONGEST_EVENT,
            )
            .await;
        posted.inspect_err(|error| {
            // Only the first is kept; the others follow from it.
            let _ = self.seen.first.set(Trouble::of(error));
        })
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), StreamableHttpError<Self::Error>> {
        self.inner.delete_session(uri, session_id, auth_header, custom_headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        auth_header: Option<String>,
        custom_headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxedSseResponse, StreamableHttpError<Self::Error>> {
        // A server need not offer this, so what goes wrong with it tells nothing.
        self.inner
            .get_stream_with_max_sse_event_size(
                uri,
                session_id,
                last_event_id,
                auth_header,
                custom_headers,
                LONGEST_EVENT,
            )
            .await
    }
}
