//! Tracing and telling: the spans of a request (W3C Trace Context), and what is told of it once when it is over.
//!
//! INVARIANT: nothing that is told holds an argument, a token or a credential. Where nobody listens, nothing of this is made.

use std::fmt;
use std::sync::Arc;

use audit::{Closing, Decision};
use domain::Outcome;
use http::{HeaderMap, HeaderName, HeaderValue};
use ledger::Level;
use mcp::Message;
use vault::Entropy;

use crate::arrival::Arrival;
use crate::state::Gateway;

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// A parent's place: `00-<32 hex>-<16 hex>-<2 hex>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parent {
    trace: u128,
    span: u64,
    sampled: bool,
}

/// The spans of one request: its own, within its parent's, and what happened within its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The trace that it is part of.
    pub trace: u128,
    /// The client's span, if it told of one.
    pub parent: Option<u64>,
    /// The request's.
    pub request: u64,
    /// The call of the upstream.
    pub upstream: u64,
    /// Whether spans of the trace are to be kept.
    pub sampled: bool,
    /// When the policy judged it.
    pub judge: Stretch,
    /// When the ledger settled it; not where it was never asked.
    pub settle: Option<Stretch>,
    /// How often it was judged and settled, since the configuration changed meanwhile.
    pub attempts: u32,
    /// The client's `tracestate` header is of this trace.
    keeps_state: bool,
}

/// A part of a request's time, in microseconds since it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// Its beginning.
    pub from: u64,
    /// Its end.
    pub until: u64,
}

/// A request that is over, as it is told.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its spans; none for what an upstream asks of its client, or where no spans are sent.
    pub trace: Option<Trace>,
    /// What was decided, with what the ledger said of it.
    pub decision: Decision,
    /// The limit that refused it.
    pub limit: Option<Level>,
    /// How a forwarded request ended.
    pub closing: Option<Closing>,
}

/// Who is told of requests that are over.
#[derive(Clone)]
pub struct Telemetry {
    /// Of which traces the spans are kept. None: no spans are made, and what a client says of its trace passes as it is.
    pub sampler: Option<Sampler>,
    /// Told of each once. It must return at once.
    pub tell: Arc<dyn Fn(Finished) + Send + Sync>,
}

/// Which traces are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampler {
    /// How many of the traces that begin here: all bits set is all of them.
    pub share: u64,
    /// Whether a client's word counts on whether its trace is kept.
    pub obeys_parent: bool,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("sampler", &self.sampler).finish_non_exhaustive()
    }
}

impl Parent {
    /// That of the one `traceparent` header.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(PARENT).into_iter();
        let (first, further) = (values.next()?, values.next());
        further.is_none().then(|| Self::read(first.to_str().ok()?)).flatten()
    }

    /// Reads a `traceparent` (3.2); nothing of one that is not well-formed.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // Only a later version may have more parts.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let (_, trace) = (hex(version, 2)?, hex(trace, 32)?);
        let (span, flags) = (u64::try_from(hex(span, 16)?).ok()?, hex(flags, 2)?);
        (trace != 0 && span != 0).then_some(Self { trace, span, sampled: flags & 1 == 1 })
    }
}

/// So many lower-case hexadecimal digits.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let fits = text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

impl Sampler {
    /// The spans of a request that comes with this parent.
    fn begin(self, parent: Option<Parent>, entropy: &Entropy) -> Trace {
        // No id is nothing but zeros.
        let own = |bytes| u64::from_be_bytes(bytes) | 1;
        let trace = parent.map_or_else(|| u128::from_be_bytes(entropy.bytes()) | 1, |parent| parent.trace);
        let sampled = match parent {
            Some(parent) if self.obeys_parent => parent.sampled,
            _ => self.keeps(trace),
        };
        Trace {
            trace,
            parent: parent.map(|parent| parent.span),
            request: own(entropy.bytes()),
            upstream: own(entropy.bytes()),
            sampled,
            judge: Stretch::default(),
            settle: None,
            attempts: 0,
            keeps_state: false,
        }
    }

    /// By the low half of the id, which is random, so that every gateway says the same of a trace.
    fn keeps(self, trace: u128) -> bool {
        let low = u64::try_from(trace & u128::from(u64::MAX)).unwrap_or(u64::MAX);
        self.share != 0 && low <= self.share
    }
}

impl Trace {
    /// The id of the trace, as the log has it.
    pub fn id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    /// The `traceparent` for the upstream: what it does is part of our call.
    fn for_upstream(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.upstream, u8::from(self.sampled))
    }
}

/// Makes a request a span of the trace that its header names, or of one of its own.
pub(crate) fn of_head(gateway: &Gateway, arrival: &mut Arrival, headers: &HeaderMap) {
    if let Some(sampler) = sampler(gateway) {
        let parent = Parent::of(headers);
        let mut trace = sampler.begin(parent, &gateway.parts.entropy);
        trace.keeps_state = parent.is_some();
        arrival.trace_id = Some(trace.id());
        arrival.trace = Some(trace);
    }
}

/// The same of the trace that its message names, if it does: that goes before the header, which others may have written anew.
pub(crate) fn of_message(gateway: &Gateway, arrival: &mut Arrival, message: &Message<'_>) {
    let (Some(sampler), Message::Request(request)) = (sampler(gateway), message) else { return };
    let named = request.meta(mcp::META_TRACE).and_then(json::Value::as_str).and_then(Parent::read);
    if let Some(parent) = named {
        let mut trace = sampler.begin(Some(parent), &gateway.parts.entropy);
        let same = arrival.trace.filter(|of_head| of_head.trace == trace.trace);
        trace.keeps_state = same.is_some_and(|of_head| of_head.keeps_state);
        arrival.trace_id = Some(trace.id());
        arrival.trace = Some(trace);
    }
}

/// Names our span of the call as the upstream's parent, if there is one. A `tracestate` of another trace stays here.
pub(crate) fn pass_on(arrival: &Arrival, headers: &mut HeaderMap) -> Option<String> {
    let trace = arrival.trace?;
    let ours = trace.for_upstream();
    headers.insert(PARENT, HeaderValue::try_from(&ours).ok()?);
    if !trace.keeps_state {
        headers.remove(STATE);
    }
    Some(ours)
}

fn sampler(gateway: &Gateway) -> Option<Sampler> {
    gateway.parts.telemetry.as_ref()?.sampler
}

impl Gateway {
    /// Tells of a request that is over, if anybody listens.
    pub(crate) fn tell(&self, trace: Option<Trace>, decision: &Decision, limit: Option<&Level>) {
        if let Some(telemetry) = &self.parts.telemetry {
            let mut decision = decision.clone();
            if limit.is_some() {
                decision.outcome = Outcome::Limit;
                decision.forwards = false;
            }
            (telemetry.tell)(Finished { trace, decision, limit: limit.copied(), closing: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn kept(share: u64) -> Sampler {
        Sampler { share, obeys_parent: true }
    }

    #[test]
    fn a_parent_is_read_strictly() {
        let parent = Parent::read(PLACE).unwrap();
        assert_eq!((parent.span, parent.sampled), (0x00f0_67aa_0ba9_02b7, true));
        assert!(Parent::read(&PLACE.replace("-01", "-00")).is_some_and(|parent| !parent.sampled));
        assert!(Parent::read(&format!("01{}-more", &PLACE[2..])).is_some(), "a later version has more parts");
        for wrong in [
            "",
            "00",
            &PLACE.to_uppercase(),
            &format!("{PLACE}-more"),
            &PLACE.replace("00-4", "ff-4"),
            &PLACE.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &PLACE.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &PLACE.replace("4bf9", "+bf9"),
        ] {
            assert_eq!(Parent::read(wrong), None, "{wrong}");
        }
        let header = |value: &str| (PARENT, HeaderValue::try_from(value).unwrap());
        assert_eq!(Parent::of(&HeaderMap::from_iter([header(PLACE)])), Some(parent));
        let mut two = HeaderMap::from_iter([header(PLACE)]);
        two.append(PARENT, HeaderValue::from_static(PLACE));
        assert_eq!(Parent::of(&two), None, "which of them is meant is not known");
    }

    #[test]
    fn the_upstream_is_told_of_our_span_in_the_clients_trace() {
        let trace = kept(0).begin(Parent::read(PLACE), &Entropy::System);
        let told = Parent::read(&trace.for_upstream()).unwrap();
        assert_eq!((told.trace, told.span, told.sampled), (trace.trace, trace.upstream, true));
        assert_eq!(trace.id(), PLACE[3..35]);
        assert!(trace.request != trace.upstream && trace.parent == Some(0x00f0_67aa_0ba9_02b7));
    }

    #[test]
    fn a_share_of_traces_is_kept() {
        let of_thousand =
            |share| (0..1000).filter(|_| kept(share).begin(None, &Entropy::System).sampled).count();
        assert_eq!((of_thousand(0), of_thousand(u64::MAX)), (0, 1000));
        assert!((100..900).contains(&of_thousand(u64::MAX / 2)));
        let deaf = Sampler { share: 0, obeys_parent: false };
        assert!(!deaf.begin(Parent::read(PLACE), &Entropy::System).sampled);
    }
}
