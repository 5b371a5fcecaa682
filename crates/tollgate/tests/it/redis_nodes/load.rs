//! Calls of every organisation over both gateways until told to stop, and what was told about them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::{Process, eventually};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::caller::Caller;
use crate::kills::{COUNTED, FREE, SCARCE, Tenant, caller};

/// Between two calls of a caller: servers shall have time to hear of each other.
const BREATH: Duration = Duration::from_millis(10);

/// When a call began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its record is on the replica.
    Before,
    /// Its record may be lost with the primary.
    Between,
    /// The replica has been promoted.
    After,
}

/// A call and its answer.
#[derive(Debug)]
pub struct Call {
    pub tool: &'static str,
    pub trace: String,
    pub phase: Phase,
    /// The decision's id.
    pub id: String,
    /// Whether it was let through; none without a decision.
    pub allowed: Option<bool>,
}

/// What all callers share.
struct Shared {
    phase: Phase,
    stop: bool,
    /// Calls that have begun and not ended, of this phase and of those before.
    open: [usize; 2],
    /// Counted calls of each organisation that were let through.
    counted: Vec<usize>,
}

pub struct Load {
    shared: Arc<Mutex<Shared>>,
    callers: JoinSet<(usize, Vec<Call>)>,
}

impl Load {
    pub fn start(tenants: &[Tenant], gateways: &[Process]) -> Self {
        let counted = vec![0; tenants.len()];
        let shared = Shared { phase: Phase::Before, stop: false, open: [0; 2], counted };
        let shared = Arc::new(Mutex::new(shared));
        let mut callers = JoinSet::new();
        for tenant in tenants {
            for (at, gateway) in gateways.iter().enumerate() {
                let caller = caller(&gateway.url, tenant);
                callers.spawn(calls(tenant.clone(), at, gateways.len(), caller, Arc::clone(&shared)));
            }
        }
        Self { shared, callers }
    }

    /// Waits until so many more counted calls were let through, of each organisation that `which` wants.
    pub async fn goes_on(&self, lost: &[bool], which: impl Fn(bool) -> bool, more: usize) {
        let counted = || self.shared.lock().unwrap().counted.clone();
        let before = counted();
        eventually("calls that go on", async || {
            let now = counted();
            let enough = |at: usize| !which(lost[at]) || now[at] >= before[at] + more;
            (0..now.len()).all(enough).then_some(())
        })
        .await;
    }

    /// Begins a phase, and waits until no call of those before is under way.
    pub async fn enter(&self, phase: Phase) {
        {
            let mut shared = self.shared.lock().unwrap();
            assert_eq!(shared.open[1], 0, "phases are waited for");
            shared.phase = phase;
            shared.open.swap(0, 1);
        }
        let ended = async || (self.shared.lock().unwrap().open[1] == 0).then_some(());
        eventually("an end of earlier calls", ended).await;
    }

    /// What was told to each organisation.
    pub async fn stop(self) -> Vec<Vec<Call>> {
        self.shared.lock().unwrap().stop = true;
        let all = self.callers.join_all().await;
        let mut seen: Vec<Vec<Call>> =
            self.shared.lock().unwrap().counted.iter().map(|_| Vec::new()).collect();
        for (tenant, calls) in all {
            seen[tenant].extend(calls);
        }
        seen
    }
}

/// Calls one tool after the other; each call has a number that no other caller of the organisation uses.
async fn calls(
    tenant: Tenant,
    first: usize,
    step: usize,
    caller: Caller,
    shared: Arc<Mutex<Shared>>,
) -> (usize, Vec<Call>) {
    let mut seen = Vec::new();
    let numbers = (first..).step_by(step);
    for (number, tool) in numbers.zip([COUNTED, FREE, COUNTED, SCARCE].into_iter().cycle()) {
        let phase = {
            let mut shared = shared.lock().unwrap();
            if shared.stop {
                break;
            }
            shared.open[0] += 1;
            shared.phase
        };
        let trace = tenant.trace(number);
        let answer = caller.call_traced(tool, &trace).await.unwrap();
        let through = answer.allowed();
        let allowed = (through || answer.denied().is_some()).then_some(through);
        seen.push(Call { tool, trace, phase, id: answer.request_id, allowed });
        {
            let mut shared = shared.lock().unwrap();
            let earlier = usize::from(shared.phase != phase);
            shared.open[earlier] -= 1;
            shared.counted[tenant.number] += usize::from(through && tool == COUNTED);
        }
        sleep(BREATH).await;
    }
    (tenant.number, seen)
}
