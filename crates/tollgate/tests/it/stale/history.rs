//! What was in force when: the states that one writer has put a thing into, one after the other.

use std::sync::Mutex;

use tokio::time::Instant;

/// A state, and when it was asked for and when that was answered.
#[derive(Clone, Copy, Debug)]
struct State {
    value: usize,
    asked: Instant,
    /// None: the answer is not here yet, or never came, so that nobody knows whether it is in force.
    answered: Option<Instant>,
}

/// The states of one thing, in order.
#[derive(Debug)]
pub struct History(Mutex<Vec<State>>);

impl History {
    /// It is in this state, for sure.
    pub fn new(value: usize) -> Self {
        let now = Instant::now();
        Self(Mutex::new(vec![State { value, asked: now, answered: Some(now) }]))
    }

    /// A state is asked for.
    pub fn asks(&self, value: usize) {
        self.0.lock().unwrap().push(State { value, asked: Instant::now(), answered: None });
    }

    /// The last that was asked for is in force.
    pub fn is_answered(&self) {
        self.0.lock().unwrap().last_mut().unwrap().answered = Some(Instant::now());
    }

    /// How many states there were.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Whether a call from `start` to `end` may have met this value.
    pub fn allows(&self, value: usize, start: Instant, end: Instant) -> bool {
        let states = self.0.lock().unwrap();
        // The last that was in force for sure when the call started; whatever came before it is over.
        let first = states.iter().rposition(|state| state.answered.is_some_and(|at| at < start)).unwrap_or(0);
        states[first..].iter().any(|state| state.value == value && state.asked <= end)
    }
}

#[test]
fn what_was_replaced_before_the_start_is_not_allowed() {
    let before = Instant::now();
    let history = History::new(0);
    history.asks(1);
    let between = Instant::now();
    assert!(history.allows(0, between, between) && history.allows(1, between, between));
    history.is_answered();
    let after = Instant::now() + std::time::Duration::from_micros(1);
    assert!(!history.allows(0, after, after) && history.allows(1, after, after));
    assert!(history.allows(0, between, after) && !history.allows(1, before, before));
}
