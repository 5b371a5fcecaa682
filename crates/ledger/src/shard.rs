//! Which of the 64 shards of keys a tenant lives in.

use std::fmt;
use std::ops::{Index, IndexMut};

use domain::TenantId;

/// One of 64 groups of tenants that share a hash tag and a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u8);

impl Shard {
    /// How many there are. Changing it loses counters and streams.
    pub const COUNT: u8 = 64;

    /// Where this tenant lives. The last byte of a UUIDv7 is random, so tenants spread evenly.
    pub fn of(tenant: TenantId) -> Self {
        Self(tenant.uuid().as_bytes()[15] % Self::COUNT)
    }

    /// Every shard.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }
}

/// One thing for each shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PerShard<T>([T; Shard::COUNT as usize]);

impl<T> PerShard<T> {
    pub(crate) fn from_fn(mut make: impl FnMut(Shard) -> T) -> Self {
        let mut next = 0;
        Self(std::array::from_fn(|_| {
            next += 1;
            make(Shard(next - 1))
        }))
    }
}

impl<T: Default> Default for PerShard<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| T::default()))
    }
}

impl<T> Index<Shard> for PerShard<T> {
    type Output = T;

    fn index(&self, shard: Shard) -> &T {
        &self.0[usize::from(shard.0)]
    }
}

impl<T> IndexMut<Shard> for PerShard<T> {
    fn index_mut(&mut self, shard: Shard) -> &mut T {
        &mut self.0[usize::from(shard.0)]
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{t{:02}}}", self.0)
    }
}
