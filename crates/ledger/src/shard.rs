//! Which of the 64 shards of keys a tenant lives in.

use std::fmt;

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

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{t{:02}}}", self.0)
    }
}
