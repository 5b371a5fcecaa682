//! When a process may be started: at once, unless those before it ended by themselves. Then the wait doubles each time, so
//! that a server which can't run does not eat the machine.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A process that lives this long is sound, whatever came before it.
const SOUND: Duration = Duration::from_mins(1);

/// Counts the processes that ended by themselves.
#[derive(Debug)]
pub(crate) struct Governor {
    first: Duration,
    longest: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// In a row.
    failures: u32,
    not_before: Option<Instant>,
}

impl Governor {
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, state: Mutex::default() }
    }

    /// Whether a process may be started now; else how long not yet.
    pub fn admit(&self, now: Instant) -> Result<(), Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.not_before.map(|moment| moment.saturating_duration_since(now)) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// A process ended by itself, now, after it had lived so long.
    pub fn ended(&self, now: Instant, lived: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = if lived >= SOUND { 1 } else { state.failures.saturating_add(1) };
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(state.failures - 1));
        state.not_before = Some(now + doubled.min(self.longest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let governor = Governor::new(Duration::from_secs(1), Duration::from_secs(5));
        let now = Instant::now();
        assert_eq!(governor.admit(now), Ok(()));
        for wait in [1, 2, 4, 5, 5] {
            governor.ended(now, Duration::ZERO);
            assert_eq!(governor.admit(now), Err(Duration::from_secs(wait)));
        }
        assert_eq!(governor.admit(now + Duration::from_secs(5)), Ok(()));
    }

    #[test]
    fn a_process_that_lived_long_starts_the_count_anew() {
        let governor = Governor::new(Duration::from_secs(1), Duration::from_secs(5));
        let now = Instant::now();
        for lived in [Duration::ZERO, Duration::ZERO, SOUND] {
            governor.ended(now, lived);
        }
        assert_eq!(governor.admit(now), Err(Duration::from_secs(1)));
    }
}
