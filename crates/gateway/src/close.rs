//! The end of a forwarded request: written down once, however it ends, and quota given back where it must be.
//!
//! INVARIANT: an [`OpenCall`] that is dropped is closed. A client that goes away, a task that is cancelled, a stream that is
//! never read to its end: each leaves a closing record.

use std::time::Duration;

use audit::{Closing, Decision};
use chrono::{DateTime, Utc};
use domain::{DecisionId, TenantId};
use egress::EgressError;
use http::StatusCode;
use ledger::{Close, GiveBack};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::arrival::micros;
use crate::in_flight::Seat;
use crate::login::LoggedOut;
use crate::metrics;
use crate::state::GatewayState;
use crate::trace::{Finished, Trace};

/// How a forwarded request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// With a result.
    Done,
    /// With a result that says `isError: true`.
    ToolError,
    /// With a JSON-RPC error.
    RpcError,
    /// With an HTTP status that is no success, and no JSON-RPC error.
    Status(StatusCode),
    /// The upstream could not be reached, or did not begin to answer.
    Unreachable(EgressError),
    /// There is no login to call the upstream with.
    LoggedOut(LoggedOut),
    /// The upstream's answer stopped, or was not one that can be relayed.
    Broken(&'static str),
    /// We ended the stream: the grant was revoked or changed, or the gateway stops.
    Ended(&'static str),
    /// The client went away.
    Abandoned,
}

impl Ending {
    fn failure(&self) -> Option<String> {
        match self {
            Self::Done => None,
            Self::ToolError => Some("the tool reported an error".to_owned()),
            Self::RpcError => Some("the upstream answered with a JSON-RPC error".to_owned()),
            Self::Status(status) => {
                Some(format!("the upstream answered with HTTP status {}", status.as_u16()))
            }
            Self::Unreachable(error) => Some(error.to_string()),
            Self::LoggedOut(why) => Some(why.to_string()),
            Self::Broken(what) | Self::Ended(what) => Some((*what).to_owned()),
            Self::Abandoned => Some("the client went away before the answer was complete".to_owned()),
        }
    }

    /// Whether the upstream is to blame.
    fn failed(&self) -> bool {
        !matches!(self, Self::Done | Self::Ended(_) | Self::Abandoned)
    }

    /// Whether the call counts as not having happened.
    fn gives_all_back(&self) -> bool {
        matches!(self, Self::RpcError | Self::Status(_) | Self::Unreachable(_) | Self::LoggedOut(_))
    }
}

/// A request that was settled and may be under way.
pub(crate) struct OpenCall(Option<Open>);

/// What its closing record needs.
pub(crate) struct Open {
    pub gateway: GatewayState,
    pub tenant: TenantId,
    pub decision: DecisionId,
    pub decided_at: DateTime<Utc>,
    /// When the request came.
    pub arrived: Instant,
    /// Places of the charges that `isError: true` gives back; and whether there are any charges at all.
    pub refund_on_error: Vec<usize>,
    pub charged: bool,
    /// The decision was written straight into Postgres: so is the closing.
    pub direct: bool,
    /// Where it is the client who ends it, as a stream that it listens to.
    ends_when_left: bool,
    /// Counted as open.
    _counted: metrics::Open,
    /// Its id is in use.
    seat: Option<Seat>,
    /// What is told of it when it is over.
    told: Option<Box<Finished>>,
    forwarded: Option<Instant>,
    gateway_micros: u64,
    status: Option<StatusCode>,
    response_bytes: u64,
}

impl Open {
    /// A request that was settled with this decision and takes no quota.
    pub fn new(gateway: GatewayState, decision: &Decision, arrived: Instant) -> Self {
        let open = gateway.parts.metrics.open_call();
        Self {
            gateway,
            tenant: decision.tenant,
            decision: decision.id,
            decided_at: decision.decided_at,
            arrived,
            refund_on_error: Vec::new(),
            charged: false,
            direct: false,
            ends_when_left: false,
            _counted: open,
            seat: None,
            told: None,
            forwarded: None,
            gateway_micros: 0,
            status: None,
            response_bytes: 0,
        }
    }

    /// Has it told of when it is over, if anybody listens.
    pub fn tell_of(&mut self, trace: Option<Trace>, decision: Decision) {
        if self.gateway.parts.telemetry.is_some() {
            self.told = Some(Box::new(Finished { trace, decision, limit: None, closing: None }));
        }
    }
}

impl OpenCall {
    pub fn new(open: Open) -> Self {
        Self(Some(open))
    }

    /// Keeps its id in use until it ends.
    pub fn sits(&mut self, seat: Option<Seat>) {
        if let Some(open) = &mut self.0 {
            open.seat = seat;
        }
    }

    /// The request is being written to the upstream.
    pub fn forwarded(&mut self) {
        if let Some(open) = &mut self.0 {
            let now = Instant::now();
            let took = now - open.arrived;
            open.gateway_micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            open.forwarded = Some(now);
            open.gateway.parts.metrics.forwarded(took);
        }
    }

    /// The head of the upstream's answer is here.
    pub fn answered(&mut self, status: StatusCode) {
        if let Some(open) = &mut self.0 {
            open.status = Some(status);
            if let Some(forwarded) = open.forwarded {
                open.gateway.parts.metrics.answered(forwarded.elapsed());
            }
        }
    }

    /// So many bytes of the answer's body have come.
    pub fn received(&mut self, bytes: usize) {
        if let Some(open) = &mut self.0 {
            open.response_bytes += bytes as u64;
        }
    }

    /// Says that it ends well when the client goes away.
    pub fn ends_when_left(&mut self) {
        if let Some(open) = &mut self.0 {
            open.ends_when_left = true;
        }
    }

    /// Closes the call. Where quota is given back, that has happened when this returns, so that a caller who tries again
    /// finds it; else this returns at once.
    pub async fn end(mut self, ending: Ending) {
        if let Some((closing, true)) = self.start(&ending) {
            // It goes on in the background when it takes long, or when the client goes away meanwhile.
            let _ = tokio::time::timeout(PATIENCE, closing).await;
        }
    }

    /// Closes the call where nothing can be waited for.
    pub fn end_soon(&mut self, ending: &Ending) {
        drop(self.start(ending));
    }

    /// Starts the closing; also says whether it gives something back.
    fn start(&mut self, ending: &Ending) -> Option<(JoinHandle<()>, bool)> {
        let mut open = self.0.take()?;
        // The client may use the id again before this is written down.
        open.seat = None;
        let took = open.forwarded.filter(|_| !open.ends_when_left).map(|forwarded| forwarded.elapsed());
        open.gateway.parts.metrics.ended(ending, took);
        let closing = open.closing(ending);
        if let (Some(told), Some(telemetry)) = (open.told.take(), &open.gateway.parts.telemetry) {
            (telemetry.tell)(Finished { closing: Some(closing.clone()), ..*told });
        }
        let give_back = open.give_back(ending);
        let gives = give_back != GiveBack::Nothing;
        let background = open.gateway.background.clone();
        Some((background.spawn(open.write(closing, give_back)), gives))
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let left = self.0.as_ref().is_some_and(|open| open.ends_when_left);
        let stopped = self.0.as_ref().is_some_and(|open| open.gateway.ending.is_cancelled());
        self.end_soon(match (left, stopped) {
            (true, _) => &Ending::Done,
            (false, true) => &Ending::Ended("the gateway was stopped before the answer was complete"),
            (false, false) => &Ending::Abandoned,
        });
    }
}

impl Open {
    fn give_back(&self, ending: &Ending) -> GiveBack {
        if !self.charged {
            GiveBack::Nothing
        } else if ending.gives_all_back() {
            GiveBack::All
        } else if *ending == Ending::ToolError && !self.refund_on_error.is_empty() {
            GiveBack::Only(self.refund_on_error.clone())
        } else {
            GiveBack::Nothing
        }
    }

    fn closing(&self, ending: &Ending) -> Closing {
        Closing {
            id: self.decision,
            tenant: self.tenant,
            decided_at: self.decided_at,
            closed_at: self.gateway.parts.clock.now(),
            failed: ending.failed(),
            failure: ending.failure(),
            upstream_status: self.status.map(|status| status.as_u16()),
            gateway_micros: Some(self.gateway_micros),
            upstream_micros: self.forwarded.map(micros),
            response_bytes: Some(self.response_bytes),
            repeats: None,
        }
    }

    async fn write(self, closing: Closing, give_back: GiveBack) {
        if !self.direct && self.write_to_ledger(&closing, give_back).await {
            return;
        }
        // What can't be written here either, the sweep closes as `unknown`.
        if let Err(error) = audit::close_direct(&self.gateway.parts.storage, &closing).await {
            tracing::error!(decision = %self.decision, %error, "a closing could not be written down");
        }
    }

    async fn write_to_ledger(&self, closing: &Closing, give_back: GiveBack) -> bool {
        let Ok(record) = closing.to_bytes() else { return false };
        let close = Close { tenant: self.tenant, decision: self.decision, record: &record, give_back };
        for wait in RETRIES {
            let began = Instant::now();
            match self.gateway.parts.ledger.close(&close).await {
                Ok(_) => {
                    self.gateway.parts.metrics.closed(began);
                    return true;
                }
                Err(error) => tracing::warn!(decision = %self.decision, %error, "a closing waits for redis"),
            }
            tokio::time::sleep(wait).await;
        }
        false
    }
}

/// How long an answer waits for its quota to be given back.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long to wait after each attempt to close.
const RETRIES: [Duration; 3] = [Duration::from_millis(100), Duration::from_secs(1), Duration::from_secs(5)];
