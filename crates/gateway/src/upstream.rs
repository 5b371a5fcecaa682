//! Calling the upstream: with our credentials in the place of the client's, at the address that the server was registered
//! with, whatever path and query the client used.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use mcp::Version;
use mcp::headers::PROTOCOL_VERSION;

use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::login::{self, Expected, Unsent};
use crate::permit::Permit;
use crate::refusal::Refusal;
use crate::sessions::{SESSION, Session};
use crate::state::{Gateway, GatewayState};

/// What goes upstream, less credentials.
pub(crate) struct Outbound<'a> {
    pub method: Method,
    /// Those that pass, by the allow-list of `mcp`.
    pub headers: HeaderMap,
    pub session: Option<&'a Session>,
    pub body: Bytes,
    pub expected: Expected,
}

/// The head of the upstream's answer, and the call that it answers.
pub(crate) struct Answer {
    pub response: Response<egress::Body>,
    pub view: Arc<GrantView>,
    pub call: OpenCall,
}

/// Sends a permitted request. It is never sent a second time, whatever happens to it, unless the upstream refused its
/// token and another was had.
pub(crate) async fn forward(
    gateway: &Gateway,
    permit: Permit,
    outbound: Outbound<'_>,
) -> Result<Answer, Refusal> {
    let (view, mut call) = permit.spend();
    let session = outbound.session.map(|session| session.upstream.clone());
    let mut request = request(&view, outbound.headers, session, outbound.body);
    *request.method_mut() = outbound.method;
    call.forwarded();
    match login::send(gateway, &view, request, outbound.expected).await {
        Ok(response) => {
            call.answered(response.status());
            Ok(Answer { response, view, call })
        }
        Err(Unsent::LoggedOut(why)) => {
            call.end(Ending::LoggedOut(why)).await;
            Err(Refusal::UpstreamLogin(why))
        }
        Err(Unsent::Egress(error)) => {
            tracing::warn!(server = %view.server, %error, "an upstream could not be called");
            call.end(Ending::Unreachable(error.clone())).await;
            Err(Refusal::Upstream(error))
        }
    }
}

/// Answers a request of the upstream that the client never sees. In the background: its stream is not held up, and what comes
/// back is of no interest.
pub(crate) fn answer(
    gateway: &GatewayState,
    view: &Arc<GrantView>,
    version: Version,
    session: Option<HeaderValue>,
    body: Vec<u8>,
) {
    let mut request = request(view, own_headers(version), session, body.into());
    *request.method_mut() = Method::POST;
    let (gateway, view) = (gateway.clone(), Arc::clone(view));
    gateway.background.clone().spawn(async move {
        if let Err(error) = login::send(&gateway, &view, request, Expected::Answer).await {
            tracing::warn!(server = %view.server, %error, "a request of an upstream could not be answered");
        }
    });
}

/// Asks the upstream what the gateway itself wants to know: nothing of a client's goes with it but the session that it belongs to.
pub(crate) async fn ask(
    gateway: &Gateway,
    view: &GrantView,
    (version, more): (Version, Vec<(HeaderName, HeaderValue)>),
    session: Option<&Session>,
    body: Vec<u8>,
) -> Result<Response<egress::Body>, Unsent> {
    let mut headers = own_headers(version);
    headers.extend(more);
    let session = session.map(|session| session.upstream.clone());
    let mut request = request(view, headers, session, body.into());
    *request.method_mut() = Method::POST;
    login::send(gateway, view, request, Expected::Answer).await
}

/// The headers of a message of the gateway's own.
fn own_headers(version: Version) -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    let accept = HeaderValue::from_static("application/json, text/event-stream");
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, json), (ACCEPT, accept)]);
    // The first revision has no such header.
    if version != Version::V2025_03_26 {
        headers.insert(PROTOCOL_VERSION, HeaderValue::from_static(version.as_str()));
    }
    headers
}

/// A request to the server's address, with our credentials.
fn request(
    view: &GrantView,
    headers: HeaderMap,
    session: Option<HeaderValue>,
    body: Bytes,
) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.uri_mut() = view.target.upstream.clone();
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(session) = session {
        headers.insert(SESSION, session);
    }
    // Last, so that nothing a client sends can stand in the place of a credential.
    for (name, value) in &view.target.credentials {
        headers.insert(name.clone(), value.clone());
    }
    request
}
