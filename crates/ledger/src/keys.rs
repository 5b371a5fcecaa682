//! The names of keys. Everything of a tenant carries its shard's hash tag; counters also carry the tenant's id, so
//! that no hash, however chosen, reaches into another tenant.

use std::fmt::{self, Display};

use domain::{DecisionId, TenantId};
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::invocation::Text;
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

    fn shard(&self, shard: Shard, what: &'static str) -> Text<impl Display> {
        Text(fmt::from_fn(move |f| write!(f, "{}:{shard}:{what}", self.namespace)))
    }

    /// `what` of the tenant, or the one that `id` names.
    fn tenant(&self, tenant: TenantId, what: &'static str, id: Option<Simple>) -> Text<impl Display> {
        Text(fmt::from_fn(move |f| {
            write!(f, "{}:{}:{}:{what}", self.namespace, Shard::of(tenant), tenant.uuid().simple())?;
            id.map_or(Ok(()), |id| write!(f, ":{id}"))
        }))
    }

    pub(crate) fn stream(&self, shard: Shard) -> Text<impl Display> {
        self.shard(shard, "decisions")
    }

    pub(crate) fn lease(&self, shard: Shard) -> Text<impl Display> {
        self.shard(shard, "lease")
    }

    pub(crate) fn epoch(&self, tenant: TenantId) -> Text<impl Display> {
        self.tenant(tenant, "epoch", None)
    }

    pub(crate) fn pending(&self, tenant: TenantId) -> Text<impl Display> {
        self.tenant(tenant, "pending", None)
    }

    pub(crate) fn reservation(&self, tenant: TenantId, decision: DecisionId) -> Text<impl Display> {
        self.tenant(tenant, "taken", Some(decision.uuid().simple()))
    }

    pub(crate) fn counter(&self, tenant: TenantId, counter: &[u8; 32], shadow: bool) -> Text<impl Display> {
        self.tenant(tenant, if shadow { "shadow" } else { "count" }, Some(short(counter)))
    }

    pub(crate) fn task(&self, tenant: TenantId, task: &[u8; 32]) -> Text<impl Display> {
        self.tenant(tenant, "task", Some(short(task)))
    }

    pub(crate) fn question(&self, tenant: TenantId, question: &[u8; 32]) -> Text<impl Display> {
        self.tenant(tenant, "question", Some(short(question)))
    }

    pub(crate) fn once(&self, tenant: TenantId, same: &[u8; 32]) -> Text<impl Display> {
        self.tenant(tenant, "once", Some(short(same)))
    }

    pub(crate) fn repeats(&self, tenant: TenantId, decision: DecisionId) -> Text<impl Display> {
        self.tenant(tenant, "repeats", Some(decision.uuid().simple()))
    }
}

/// The first 128 bits of a hash: enough against collisions among the keys of one tenant.
fn short(hash: &[u8; 32]) -> Simple {
    Uuid::from_bytes(hash.first_chunk().copied().unwrap_or_default()).simple()
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
            keys.stream(Shard::of(tenant)).to_string(),
            keys.lease(Shard::of(tenant)).to_string(),
            keys.epoch(tenant).to_string(),
            keys.pending(tenant).to_string(),
            keys.reservation(tenant, decision).to_string(),
            keys.counter(tenant, &[1; 32], false).to_string(),
            keys.counter(tenant, &[1; 32], true).to_string(),
            keys.once(tenant, &[1; 32]).to_string(),
            keys.task(tenant, &[1; 32]).to_string(),
            keys.question(tenant, &[1; 32]).to_string(),
            keys.repeats(tenant, decision).to_string(),
        ] {
            assert!(key.starts_with("ns:{t09}:"), "{key}");
        }
    }
}
