//! One request, and what has been learnt about it so far: what a record of it says, however far it came.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{DecisionId, ServerId};
use http::HeaderMap;
use mcp::{ClientInfo, Id, Version};
use tokio::time::Instant;

use crate::directory::GrantView;
use crate::trace::{Stretch, Trace};

/// A request on its way through.
#[derive(Clone)]
pub(crate) struct Arrival {
    /// The request id that the caller is told; also the decision's.
    pub id: DecisionId,
    /// When it came, which is the time that `id` was made with.
    pub at: DateTime<Utc>,
    /// The same moment, for measuring.
    pub since: Instant,
    /// The server that the path names, whether or not there is one.
    pub server: ServerId,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// From `traceparent`.
    pub trace_id: Option<String>,
    /// Its spans, where somebody is told of them.
    pub trace: Option<Trace>,
    /// The grant, once the caller is known.
    pub view: Option<Arc<GrantView>>,
    /// Bytes of the body, once it was read.
    pub request_bytes: Option<u64>,
    /// The JSON-RPC id, once the body was understood.
    pub rpc_id: Option<Id>,
    /// The JSON-RPC method, or the HTTP method of a request without body.
    pub method: Option<String>,
    /// The tool called.
    pub tool: Option<String>,
    /// What is noted of the call's arguments.
    pub arguments: Option<Arguments>,
    /// The protocol version.
    pub version: Option<Version>,
    /// The client, by its own words.
    pub client: Option<ClientInfo>,
}

/// What is noted of arguments: never their values.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    /// Their keys.
    pub keys: Vec<String>,
    /// Keyed hash of them all, in hexadecimal.
    pub digest: String,
}

impl Arrival {
    /// A request of which only the head is known.
    pub fn new(
        id: DecisionId,
        at: DateTime<Utc>,
        server: ServerId,
        address: Option<IpAddr>,
        headers: &HeaderMap,
    ) -> Self {
        Self {
            id,
            at,
            since: Instant::now(),
            server,
            address,
            trace_id: trace_id(headers),
            trace: None,
            view: None,
            request_bytes: None,
            rpc_id: None,
            method: None,
            tool: None,
            arguments: None,
            version: None,
            client: None,
        }
    }

    /// A request of the server, in the course of one of the client's.
    pub fn of_server(id: DecisionId, at: DateTime<Utc>, view: &Arc<GrantView>) -> Self {
        let arrival = Self::new(id, at, view.server, None, &HeaderMap::new());
        Self { view: Some(Arc::clone(view)), ..arrival }
    }

    /// Begins another decision about the same request, after a wait that is none of ours.
    pub fn renew(&mut self, id: DecisionId, at: DateTime<Utc>) {
        (self.id, self.at, self.since) = (id, at, Instant::now());
    }

    /// Notes in its trace, if it has one, when it was judged and settled; of several times the last.
    pub fn settled(&mut self, judging: Option<Instant>, settling: Instant) {
        if let (Some(trace), Some(judging)) = (&mut self.trace, judging) {
            let at = |moment: Instant| micros_between(self.since, moment);
            trace.judge = Stretch { from: at(judging), until: at(settling) };
            trace.settle = Some(Stretch { from: at(settling), until: at(Instant::now()) });
            trace.attempts += 1;
        }
    }

    /// Microseconds since it came.
    pub fn micros(&self) -> u64 {
        micros(self.since)
    }
}

/// Microseconds since `moment`.
pub(crate) fn micros(moment: Instant) -> u64 {
    micros_between(moment, Instant::now())
}

fn micros_between(from: Instant, until: Instant) -> u64 {
    u64::try_from(until.duration_since(from).as_micros()).unwrap_or(u64::MAX)
}

/// The trace id of a `traceparent` header (W3C Trace Context, 3.2): `00-<32 hex>-<16 hex>-<2 hex>`.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let parent = headers.get("traceparent")?.to_str().ok()?;
    let id = parent.split('-').nth(1)?;
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    let fits = id.len() == 32 && id.bytes().all(hex) && id.bytes().any(|b| b != b'0');
    fits.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_id_is_kept() {
        let of = |text: &str| {
            trace_id(&HeaderMap::from_iter([("traceparent".parse().unwrap(), text.parse().unwrap())]))
        };
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of(&format!("00-{id}-00f067aa0ba902b7-01")), Some(id.to_owned()));
        assert_eq!(of(&format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32))), None);
        assert_eq!(of("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), None);
        assert_eq!(of("<script>"), None);
    }
}
