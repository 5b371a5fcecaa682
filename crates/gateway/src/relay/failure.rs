//! Answers with a status that is no success. A JSON-RPC error passes byte for byte, since clients tell the eras apart by
//! it; anything else becomes an error of ours, without a word of the upstream's text.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode, response};
use mcp::headers::Content;
use mcp::server::{self, Ending as Answered, ServerMessage};

use super::{Reply, broken};
use crate::close::{Ending, OpenCall};
use crate::directory::GrantView;
use crate::refusal::Refusal;
use crate::state::GatewayState;

/// Bytes of an error that is still looked at.
const MAX_ERROR: usize = 64 * 1024;

pub(super) async fn relay(
    gateway: &GatewayState,
    (head, content): (response::Parts, Content),
    body: egress::Body,
    view: &Arc<GrantView>,
    mut call: OpenCall,
    mut reply: Reply,
) -> Result<Response, Refusal> {
    let status = head.status;
    match status {
        // Ours mean that OUR token is wrong: a client that saw these would throw its own away, or ask the wrong server for
        // another.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            call.end(Ending::Status(status)).await;
            return Err(Refusal::UpstreamCredentials);
        }
        _ if status.is_redirection() => return broken(call, "it redirects").await,
        _ => {}
    }
    let error = match content {
        Content::Json => body.read(MAX_ERROR).await.ok().filter(is_error),
        Content::Events | Content::Other => None,
    };
    let retry_after = head.headers.get(RETRY_AFTER).cloned();
    let Some(error) = error else {
        call.end(Ending::Status(status)).await;
        return Err(Refusal::UpstreamStatus { status, retry_after });
    };
    call.received(error.len());
    // What stands in the place of an error that may not pass is an answer.
    let (shown, error) = match reply.pass(gateway, view, &error).await {
        Ok(passed) => match passed.body {
            Some(denied) => (StatusCode::OK, denied.into()),
            None => (status, error),
        },
        Err(unreadable) => return broken(call, unreadable.0).await,
    };
    call.end(if status.is_server_error() { Ending::Status(status) } else { Ending::RpcError }).await;
    let mut response = Response::new(Body::from(error));
    *response.status_mut() = shown;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(retry_after) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, retry_after);
    }
    Ok(response)
}

/// Whether a body is one JSON-RPC error.
fn is_error(body: &Bytes) -> bool {
    let messages = server::read(body).unwrap_or_default();
    matches!(messages.as_slice(), [ServerMessage::Response { ending: Answered::Error, .. }])
}
