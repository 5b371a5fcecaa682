//! GET and DELETE of the legacy era: the stream of what the server says by itself, and the end of a session.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method};
use mcp::headers;

use crate::arrival::Arrival;
use crate::directory::Found;
use crate::judge::{Ask, Subject};
use crate::permit::{self, Ruling};
use crate::refusal::Refusal;
use crate::relay::{self, Reply};
use crate::resume;
use crate::sessions;
use crate::state::GatewayState;
use crate::trace;
use crate::upstream::{self, Outbound};

/// Answers a GET or DELETE of a known caller.
pub(crate) async fn bodiless(
    gateway: &GatewayState,
    arrival: &mut Arrival,
    found: Found,
    method: Method,
    head: &HeaderMap,
) -> Result<Response, Refusal> {
    arrival.method = Some(method.as_str().to_owned());
    let session = sessions::presented(gateway, &found.view, head);
    let settled = session.as_ref().ok().and_then(Option::as_ref).map(|session| session.version);
    let version = headers::check_bodiless(head, settled)?;
    let session = session?;
    arrival.version = Some(version);
    let client = session.as_ref().and_then(|session| session.client.clone());
    let ask = Ask { session: session.as_ref(), client: client.as_ref(), ..Ask::new(Subject::Other, version) };
    let permit = match permit::obtain(gateway, arrival, found, &ask).await? {
        Ruling::Permit(permit) => permit,
        // Only calls are judged by rules, and only questions about tasks are about handles.
        Ruling::Denial(_) | Ruling::Ours(_) => return Err(Refusal::Internal),
    };
    let mut headers = headers::to_upstream(head, version);
    trace::pass_on(arrival, &mut headers);
    resume::open(gateway, permit.view(), &mut headers)?;
    let reply = Reply::bodiless(&method, &ask);
    let outbound = Outbound {
        method,
        headers,
        session: session.as_ref(),
        body: Bytes::new(),
        expected: reply.expected(),
    };
    let answer = upstream::forward(gateway, permit, outbound).await?;
    relay::relay(gateway, answer, reply).await
}
