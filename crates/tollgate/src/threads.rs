//! The threads that serve connections. A connection stays on its thread, and so does everything that its calls need: the
//! connection to Redis, the connections to upstreams, the endings. No call waits for another thread to wake up.
//!
//! What takes long to compute is not done here: see [`Aside`](crate::aside::Aside).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Context as _;
use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Threads, each with a runtime of its own, until this is dropped.
#[derive(Debug)]
pub struct Threads {
    threads: Vec<Thread>,
    end: CancellationToken,
}

/// One of them, and how many connections it serves.
#[derive(Debug)]
struct Thread {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
}

/// A connection's place on a thread; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    connections: Arc<AtomicUsize>,
}

impl Threads {
    /// Starts so many, at least one.
    ///
    /// # Errors
    /// The machine gives no more threads.
    pub fn start(count: usize) -> anyhow::Result<Self> {
        let mut started = Self { threads: Vec::new(), end: CancellationToken::new() };
        for number in 0..count.max(1) {
            started.threads.push(Thread::start(number, started.end.clone())?);
        }
        Ok(started)
    }

    /// Their runtimes.
    pub fn runtimes(&self) -> Vec<Handle> {
        self.threads.iter().map(|thread| thread.runtime.clone()).collect()
    }

    /// A place on the thread that serves the fewest connections.
    pub fn place(&self) -> (Handle, Place) {
        let connections = |at: &usize| self.threads[*at].connections.load(Ordering::Relaxed);
        let thread = &self.threads[(0..self.threads.len()).min_by_key(connections).unwrap_or_default()];
        thread.connections.fetch_add(1, Ordering::Relaxed);
        (thread.runtime.clone(), Place { connections: Arc::clone(&thread.connections) })
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end.cancel();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Thread {
    fn start(number: usize, end: CancellationToken) -> anyhow::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().context("no runtime")?;
        let handle = runtime.handle().clone();
        let run = move || runtime.block_on(end.cancelled_owned());
        thread::Builder::new().name(format!("serve-{number}")).spawn(run).context("no thread")?;
        Ok(Self { runtime: handle, connections: Arc::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_goes_to_the_thread_with_the_fewest() {
        let threads = Threads::start(2).unwrap();
        let [first, second] = &threads.runtimes()[..] else { panic!("there are two") };
        let (one, place) = threads.place();
        let (two, _second) = threads.place();
        assert_eq!((one.id(), two.id()), (first.id(), second.id()));
        drop(place);
        assert_eq!(threads.place().0.id(), first.id(), "its connection has ended");
    }

    #[test]
    fn what_a_connection_starts_stays_on_its_thread_until_the_end() {
        let threads = Threads::start(0).unwrap();
        let (runtime, _place) = threads.place();
        let name = async || thread::current().name().map(str::to_owned);
        let (mine, started) = runtime
            .block_on(runtime.spawn(async move { (name().await, tokio::spawn(name()).await.unwrap()) }))
            .unwrap();
        assert_eq!((mine.as_deref(), started.as_deref()), (Some("serve-0"), Some("serve-0")));
        drop(threads);
        // The runtime is gone: what is still started there is cancelled.
        assert!(runtime.block_on(runtime.spawn(std::future::pending::<()>())).unwrap_err().is_cancelled());
    }
}
