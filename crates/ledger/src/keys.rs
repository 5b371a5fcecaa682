//! The names of keys. Everything of a tenant carries its shard's hash tag; counters also carry the tenant's id, so
//! that no hash, however chosen, reaches into another tenant.

use domain::{DecisionId, TenantId};

use crate::{LedgerError, Shard};

/// Builds the names under one namespace.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    namespace: String,
}

impl Keys {
    /// A brace in the namespace would be taken for the hash tag.
    pub(crate) fn new(namespace: &str) -> Result<Self, LedgerError> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if namespace.is_empty() || namespace.len() > 64 || !namespace.bytes().all(fits) {
            return Err(LedgerError::Namespace(namespace.chars().take(80).collect()));
        }
        Ok(Self { namespace: namespace.to_owned() })
    }

    fn shard(&self, shard: Shard, what: &str) -> String {
        format!("{}:{shard}:{what}", self.namespace)
    }

    fn tenant(&self, tenant: TenantId, what: &str) -> String {
        format!("{}:{}:{}:{what}", self.namespace, Shard::of(tenant), tenant.uuid().simple())
    }

    pub(crate) fn stream(&self, shard: Shard) -> String {
        self.shard(shard, "decisions")
    }

    pub(crate) fn lease(&self, shard: Shard) -> String {
        self.shard(shard, "lease")
    }

    pub(crate) fn epoch(&self, tenant: TenantId) -> String {
        self.tenant(tenant, "epoch")
    }

    pub(crate) fn pending(&self, tenant: TenantId) -> String {
        self.tenant(tenant, "pending")
    }

    pub(crate) fn reservation(&self, tenant: TenantId, decision: DecisionId) -> String {
        self.tenant(tenant, &format!("taken:{}", decision.uuid().simple()))
    }

    pub(crate) fn counter(&self, tenant: TenantId, counter: &[u8; 32], shadow: bool) -> String {
        self.tenant(tenant, &format!("{}:{}", if shadow { "shadow" } else { "count" }, short(counter)))
    }

    pub(crate) fn task(&self, tenant: TenantId, task: &[u8; 32]) -> String {
        self.tenant(tenant, &format!("task:{}", short(task)))
    }

    pub(crate) fn question(&self, tenant: TenantId, question: &[u8; 32]) -> String {
        self.tenant(tenant, &format!("question:{}", short(question)))
    }

    pub(crate) fn once(&self, tenant: TenantId, same: &[u8; 32]) -> String {
        self.tenant(tenant, &format!("once:{}", short(same)))
    }

    pub(crate) fn repeats(&self, tenant: TenantId, decision: DecisionId) -> String {
        self.tenant(tenant, &format!("repeats:{}", decision.uuid().simple()))
    }
}

/// The first 128 bits of a hash: enough against collisions among the keys of one tenant.
fn short(hash: &[u8; 32]) -> String {
    let high = hash.first_chunk().copied().unwrap_or_default();
    format!("{:032x}", u128::from_be_bytes(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_can_not_disturb_the_hash_tag() {
        for bad in ["", "a{b}", "a b", "a:b", "ä", "x\n", &"x".repeat(65)] {
            assert_eq!(Keys::new(bad).unwrap_err(), LedgerError::Namespace(bad.to_owned()));
        }
    }

    #[test]
    fn all_keys_of_a_tenant_share_one_hash_tag() {
        let keys = Keys::new("ns").unwrap();
        let tenant: TenantId = uuid::Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0049).into();
        let decision: DecisionId = uuid::Uuid::from_u128(7).into();
        for key in [
            keys.stream(Shard::of(tenant)),
            keys.lease(Shard::of(tenant)),
            keys.epoch(tenant),
            keys.pending(tenant),
            keys.reservation(tenant, decision),
            keys.counter(tenant, &[1; 32], false),
            keys.counter(tenant, &[1; 32], true),
            keys.once(tenant, &[1; 32]),
            keys.task(tenant, &[1; 32]),
            keys.question(tenant, &[1; 32]),
            keys.repeats(tenant, decision),
        ] {
            assert!(key.starts_with("ns:{t09}:"), "{key}");
        }
    }
}
