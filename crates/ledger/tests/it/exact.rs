//! Limits of every kind at once against an exact log: steps of the clock in both directions, months that end, calls of two
//! gateways, giving back once and twice, and a failover to a replica that has not heard of the last writes.
//!
//! Time is Redis' time, as the script sees it. Where the clock goes back, a counter's time stands still until the clock has
//! caught up: nothing expires twice.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Datelike};
use domain::{Clock, DecisionId};
use ledger::{Charge, Close, GiveBack, Ledger, Settle, Settled, Window};
use proptest::prelude::*;

use crate::desk::{Desk, charge, decision, start};

const GREATEST: u64 = 9_000_000_000_000_000;
const WINDOWS: [Window; 3] =
    [Window::Sliding { seconds: 60 }, Window::Calendar { seconds: 86_400 }, Window::CalendarMonth];
/// Milliseconds of the sliding window.
const SPAN: u64 = 60_000;

#[derive(Clone, Debug)]
enum Step {
    /// A call at the first or the second gateway, with what it takes of each limit, in 64ths of its maximum.
    Take { second: bool, parts: [u64; 3] },
    /// The clock goes on, in milliseconds.
    On(u64),
    /// The clock goes back.
    Back(u64),
    /// A call is closed; of all calls made, the one at this place from the end.
    Close { call: usize, give_back: GiveBack },
    /// A replica has heard of everything until now.
    Copy,
    /// That replica takes over.
    Failover,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = || prop_oneof![4 => 0..=8_u64, 1 => 0..=64_u64];
    let take =
        (any::<bool>(), [part(), part(), part()]).prop_map(|(second, parts)| Step::Take { second, parts });
    let millis = || prop_oneof![3 => 0..2_000_u64, 3 => 0..70_000_u64, 1 => 0..200_000_000_u64, 1 => 0..4_000_000_000_u64];
    let what = prop_oneof![
        Just(GiveBack::All),
        Just(GiveBack::Nothing),
        proptest::collection::vec(0..4_usize, 0..3).prop_map(GiveBack::Only),
    ];
    let close = (0..6_usize, what).prop_map(|(call, give_back)| Step::Close { call, give_back });
    let step = prop_oneof![
        12 => take,
        6 => millis().prop_map(Step::On),
        1 => millis().prop_map(Step::Back),
        5 => close,
        1 => Just(Step::Copy),
        1 => Just(Step::Failover),
    ];
    proptest::collection::vec(step, 1..80)
}

/// What was taken from one counter, and when by its own time.
#[derive(Clone, Debug, Default)]
struct Counter {
    max: u64,
    /// The time of the last that was taken, in milliseconds: the counter's time is never before it.
    newest: u64,
    /// By call: when, and how much of it stands.
    taken: BTreeMap<usize, (u64, u64)>,
}

#[derive(Clone, Debug)]
struct Model {
    counters: [Counter; 3],
    closed: Vec<usize>,
}

/// Where the calendar window of this moment began.
fn period(window: Window, millis: u64) -> u64 {
    match window {
        Window::CalendarMonth => {
            let at = DateTime::from_timestamp_millis(millis.cast_signed()).unwrap();
            u64::from(at.year().cast_unsigned()) * 12 + u64::from(at.month())
        }
        Window::Calendar { seconds } | Window::Sliding { seconds } => millis / (u64::from(seconds) * 1000),
    }
}

impl Counter {
    fn now(&self, clock: u64) -> u64 {
        clock.max(self.newest)
    }

    /// What certainly counts at this moment of the counter's time, and what may.
    fn used(&self, window: Window, now: u64) -> (u64, u64) {
        let sum = |counts: &dyn Fn(u64) -> bool| {
            self.taken.values().filter(|(at, _)| counts(*at)).map(|(_, amount)| amount).sum::<u64>()
        };
        if let Window::Sliding { .. } = window {
            return (sum(&|at| now < at + SPAN), sum(&|at| now < at + SPAN + SPAN.div_ceil(60)));
        }
        let of_now = sum(&|at| period(window, at) == period(window, now));
        (of_now, of_now)
    }

    /// Gives back what a call took, if that window is not over: whether it certainly did, and whether it may have.
    fn give_back(&mut self, window: Window, call: usize) -> (bool, bool) {
        let newest = self.newest;
        let Some((at, amount)) = self.taken.remove(&call) else { return (false, false) };
        let counts = if let Window::Sliding { .. } = window {
            (newest < at + SPAN, newest < at + SPAN + SPAN.div_ceil(60))
        } else {
            let same = period(window, at) == period(window, newest);
            (same, same)
        };
        (counts.0 && amount > 0, counts.1 && amount > 0)
    }
}

/// The product's counters and the model's.
struct Run {
    desk: Desk,
    second: Ledger,
    model: Model,
    calls: Vec<DecisionId>,
    replica: Option<(Model, BTreeMap<String, Vec<u8>>)>,
}

impl Run {
    async fn new(maxes: [u64; 3]) -> Self {
        let desk = Desk::new().await;
        let second = desk.redis.ledger(desk.clock.clone()).await;
        let counters = maxes.map(|max| Counter { max, ..Counter::default() });
        Self { desk, second, model: Model { counters, closed: Vec::new() }, calls: Vec::new(), replica: None }
    }

    fn clock(&self) -> u64 {
        self.desk.clock.now().timestamp_millis().cast_unsigned()
    }

    fn back(&self, millis: u64) {
        let Clock::Manual(micros) = &self.desk.clock else { panic!("the clock is moved by hand") };
        // Not before the test began: there was nothing then.
        let earliest = start().timestamp_micros() - 3_600_000_000;
        let back = i64::try_from(millis * 1000).unwrap();
        micros
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some((now - back).max(earliest)))
            .unwrap();
    }

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::On(millis) => self.desk.advance(millis),
            Step::Back(millis) => self.back(millis),
            Step::Take { second, parts } => self.take(second, parts).await?,
            Step::Close { call, give_back } => self.close(call, give_back).await?,
            Step::Copy => self.replica = Some((self.model.clone(), self.desk.dump().await)),
            Step::Failover => {
                if let Some((model, keys)) = &self.replica {
                    self.desk.restore(keys).await;
                    self.model = model.clone();
                }
            }
        }
        Ok(())
    }

    async fn take(&mut self, second: bool, parts: [u64; 3]) -> Result<(), TestCaseError> {
        let ledger = if second { &self.second } else { &self.desk.ledger };
        let amounts: Vec<u64> = self
            .model
            .counters
            .iter()
            .zip(parts)
            .map(|(counter, part)| counter.max / 64 * part + part % 3)
            .collect();
        let charges: Vec<Charge> = (1..)
            .zip(WINDOWS)
            .zip(self.model.counters.iter().zip(&amounts))
            .map(|((number, window), (counter, amount))| Charge {
                amount: *amount,
                ..charge(number, window, counter.max)
            })
            .collect();
        let call = decision();
        let settle = Settle {
            tenant: self.desk.tenant,
            decision: call,
            epoch: 1,
            generation: *ledger.generation().borrow(),
            fresh: None,
            charges: &charges,
            record: b"{}",
        };
        let settled = ledger.settle(&settle).await.unwrap();
        let clock = self.clock();
        let fits = |at: usize, used: u64| used + amounts[at] <= self.model.counters[at].max;
        let used = |at: usize| {
            let counter = &self.model.counters[at];
            counter.used(WINDOWS[at], counter.now(clock))
        };
        match settled {
            Settled::Taken { levels, .. } => {
                for at in 0..WINDOWS.len() {
                    let (exact, at_most) = used(at);
                    prop_assert!(
                        fits(at, exact),
                        "{:?} is exceeded: {exact} and {}",
                        WINDOWS[at],
                        amounts[at]
                    );
                    let level = levels[at].used - amounts[at];
                    prop_assert!((exact..=at_most).contains(&level), "{level} is not {exact} to {at_most}");
                }
                let place = self.calls.len();
                self.calls.push(call);
                for (counter, amount) in self.model.counters.iter_mut().zip(amounts) {
                    if amount > 0 {
                        counter.newest = counter.now(clock);
                        counter.taken.insert(place, (counter.newest, amount));
                    }
                }
            }
            Settled::Over { index, level, .. } => {
                let (exact, at_most) = used(index);
                prop_assert!(!fits(index, at_most), "{:?} refused with {at_most}", WINDOWS[index]);
                prop_assert!((exact..=at_most).contains(&level.used));
                for at in 0..index {
                    prop_assert!(fits(at, used(at).0), "another limit refused before");
                }
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    async fn close(&mut self, from_end: usize, give_back: GiveBack) -> Result<(), TestCaseError> {
        let Some(call) = self.calls.len().checked_sub(1 + from_end) else { return Ok(()) };
        let close = Close {
            tenant: self.desk.tenant,
            decision: self.calls[call],
            record: b"{}",
            give_back: give_back.clone(),
        };
        let gave = self.desk.ledger.close(&close).await.unwrap().gave_back;
        let (mut certain, mut possible) = (false, false);
        if !self.model.closed.contains(&call) {
            for (at, counter) in self.model.counters.iter_mut().enumerate() {
                let wanted = match &give_back {
                    GiveBack::Nothing => false,
                    GiveBack::All => true,
                    GiveBack::Only(places) => places.contains(&at),
                };
                if wanted {
                    let (surely, perhaps) = counter.give_back(WINDOWS[at], call);
                    certain |= surely;
                    possible |= perhaps;
                }
            }
            self.model.closed.push(call);
        }
        prop_assert!(gave || !certain, "nothing was given back");
        prop_assert!(!gave || possible, "something was given back that was not there");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn limits_are_exact_whatever_happens(
        maxes in (1..=12_u64, 60_000_000..=900_000_000_u64, prop_oneof![Just(GREATEST), 1..=GREATEST]),
        steps in steps(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new(maxes.into()).await;
            for step in steps {
                run.step(step).await?;
            }
            Ok::<_, TestCaseError>(())
        })?;
    }
}
