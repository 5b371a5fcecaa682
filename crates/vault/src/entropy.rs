//! Where randomness comes from. Everything that needs it is given an [`Entropy`], so a test can repeat a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The system's random bytes, or a stream that a seed decides. Clones of a seeded one share its stream.
#[derive(Clone, Debug)]
pub enum Entropy {
    /// The generator of the crypto library, seeded by the kernel.
    System,
    /// For tests alone: SHA-256 of seed and counter. Whoever knows the seed knows every byte.
    Seeded(Seeded),
}

/// The state of a seeded stream.
#[derive(Clone, Debug)]
pub struct Seeded {
    seed: u64,
    block: Arc<AtomicU64>,
}

impl Entropy {
    /// A repeatable stream, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Seeded { seed, block: Arc::default() })
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// When the system has no randomness to give: nothing can be done safely on such a machine.
    pub fn fill(&self, out: &mut [u8]) {
        match self {
            Self::System => {
                assert!(aws_lc_rs::rand::fill(out).is_ok(), "the system gives no random bytes");
            }
            Self::Seeded(stream) => {
                for chunk in out.chunks_mut(32) {
                    chunk.copy_from_slice(&stream.next()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A new id: a UUIDv7 of this time (RFC 9562, 5.7), so that ids sort by when they were made.
    pub fn id<T: From<Uuid>>(&self, now: DateTime<Utc>) -> T {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        T::from(uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid())
    }
}

impl Seeded {
    fn next(&self) -> [u8; 32] {
        let block = self.block.fetch_add(1, Ordering::Relaxed);
        crate::sha256(&[self.seed.to_be_bytes(), block.to_be_bytes()].concat())
    }
}
