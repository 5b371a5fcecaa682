//! Calling the upstream: with our credentials in the place of the client's, at the address that the server was registered
//! with, whatever path and query the client used.

use std::sync::Arc;

use bytes::Bytes;
use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue, Method, Request, Response};

use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::permit::Permit;
use crate::refusal::Refusal;
use crate::sessions::{SESSION, Session};
use crate::state::Gateway;

/// What goes upstream, less credentials.
pub(crate) struct Outbound<'a> {
    pub method: Method,
    /// Those that pass, by the allow-list of `mcp`.
    pub headers: HeaderMap,
    pub session: Option<&'a Session>,
    pub body: Bytes,
}

/// The head of the upstream's answer, and the call that it answers.
pub(crate) struct Answer {
    pub response: Response<egress::Body>,
    pub view: Arc<GrantView>,
    pub call: OpenCall,
}

/// Sends a permitted request. It is never sent a second time, whatever happens to it.
pub(crate) async fn forward(
    gateway: &Gateway,
    permit: Permit,
    outbound: Outbound<'_>,
) -> Result<Answer, Refusal> {
    let (view, mut call) = permit.spend();
    let mut request = Request::new(outbound.body);
    *request.method_mut() = outbound.method;
    *request.uri_mut() = view.upstream.clone();
    let headers = request.headers_mut();
    *headers = outbound.headers;
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(session) = outbound.session {
        headers.insert(SESSION, session.upstream.clone());
    }
    // Last, so that nothing a client sends can stand in the place of a credential.
    for (name, value) in &view.credentials {
        headers.insert(name.clone(), value.clone());
    }
    call.forwarded();
    match gateway.parts.egress.send(request).await {
        Ok(response) => {
            call.answered(response.status());
            Ok(Answer { response, view, call })
        }
        Err(error) => {
            tracing::warn!(server = %view.server, %error, "an upstream could not be called");
            call.end(Ending::Unreachable(error.clone())).await;
            Err(Refusal::Upstream(error))
        }
    }
}
