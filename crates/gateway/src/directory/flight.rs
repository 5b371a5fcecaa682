//! Reads of one grant, one at a time: callers that wait while a read is under way share the one that follows it.
//!
//! A read that began before a caller asked may have missed the change that the caller asks for, so it is never shared
//! with them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Reads under way, by key.
pub(crate) struct Flights<T> {
    by_key: Mutex<HashMap<[u8; 32], Arc<Flight<T>>>>,
}

/// The reads of one key.
struct Flight<T> {
    /// How many have begun.
    begun: AtomicU64,
    /// The number of the last that ended, and what it brought. Held while a read runs.
    last: tokio::sync::Mutex<Option<(u64, T)>>,
}

impl<T: Clone> Flights<T> {
    pub fn new() -> Self {
        Self { by_key: Mutex::new(HashMap::new()) }
    }

    /// What a read brought that began after this call; `read` is run unless somebody else's can be shared.
    pub async fn read<E>(&self, key: [u8; 32], read: impl AsyncFnOnce() -> Result<T, E>) -> Result<T, E> {
        let seat = self.board(key);
        let wanted = seat.flight.begun.load(Ordering::SeqCst) + 1;
        let mut last = seat.flight.last.lock().await;
        if let Some((number, value)) = &*last
            && *number >= wanted
        {
            return Ok(value.clone());
        }
        let number = seat.flight.begun.fetch_add(1, Ordering::SeqCst) + 1;
        // A failure is not shared: whoever waits makes an attempt of their own, with a time limit of their own.
        let value = read().await?;
        *last = Some((number, value.clone()));
        Ok(value)
    }

    fn board(&self, key: [u8; 32]) -> Seat<'_, T> {
        let mut flights = self.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        let flight = flights.entry(key).or_insert_with(|| {
            Arc::new(Flight { begun: AtomicU64::new(0), last: tokio::sync::Mutex::new(None) })
        });
        Seat { flights: self, key, flight: Arc::clone(flight) }
    }
}

/// Somebody's interest in a flight; the last to leave takes it off the map.
struct Seat<'a, T> {
    flights: &'a Flights<T>,
    key: [u8; 32],
    flight: Arc<Flight<T>>,
}

impl<T> Drop for Seat<'_, T> {
    fn drop(&mut self) {
        let mut flights = self.flights.by_key.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's own, and this one: new seats are taken under the lock that is held here.
        if Arc::strong_count(&self.flight) <= 2 {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::AtomicUsize;

    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn waiters_share_one_read_that_began_after_they_asked() {
        let flights = Flights::new();
        let reads = AtomicUsize::new(0);
        let gate = Semaphore::new(0);
        let read = || {
            flights.read([7; 32], async || {
                let number = reads.fetch_add(1, Ordering::SeqCst) + 1;
                if number == 1 {
                    gate.acquire().await.unwrap().forget();
                }
                Ok::<_, Infallible>(number)
            })
        };
        let first = read();
        let others = async {
            let waiting = join_all((0..20).map(|_| read()));
            tokio::pin!(waiting);
            // All have asked while the first read is under way.
            assert!(futures_util::poll!(&mut waiting).is_pending());
            gate.add_permits(1);
            waiting.await
        };
        let (first, others) = tokio::join!(first, others);
        assert_eq!(first, Ok(1));
        assert!(others.into_iter().all(|value| value == Ok(2)), "a read from before the question was shared");
        assert_eq!(reads.load(Ordering::SeqCst), 2);
        assert!(flights.by_key.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_read_that_was_given_up_hands_over_to_the_next() {
        let flights = Flights::<u8>::new();
        let stuck = flights.read([1; 32], async || std::future::pending::<Result<u8, Infallible>>().await);
        {
            tokio::pin!(stuck);
            assert!(futures_util::poll!(&mut stuck).is_pending());
        }
        assert_eq!(flights.read([1; 32], async || Ok::<_, Infallible>(9)).await, Ok(9));
        assert!(flights.by_key.lock().unwrap().is_empty());
    }
}
