//! The client's HTTP, watched: the first thing that goes wrong is remembered, since the client tells only that it did.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use http::{HeaderName, HeaderValue};
use rmcp::model::ClientJsonRpcMessage;
use rmcp::transport::common::client_side_sse::BoxedSseResponse;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};

use super::trouble::Trouble;

/// One SSE event may be this long: a page of tools.
const LONGEST_EVENT: usize = 8 << 20;

/// A client over another.
#[derive(Clone)]
pub(super) struct Watched<C> {
    inner: C,
    first: Arc<OnceLock<Trouble>>,
}

impl<C> Watched<C> {
    pub(super) fn new(inner: C, first: Arc<OnceLock<Trouble>>) -> Self {
        Self { inner, first }
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
            let _ = self.first.set(Trouble::of(error));
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
