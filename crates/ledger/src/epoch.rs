//! The config epoch: how a change of a tenant's servers, grants or policies reaches the very next call.

use std::time::{Duration, Instant};

use domain::TenantId;
use uuid::Uuid;

use crate::{Ledger, LedgerError};

/// How long after its mark a change may still commit.
const COMMIT_WITHIN: Duration = Duration::from_secs(5);

/// A change that has announced itself.
#[derive(Clone, Copy, Debug)]
pub struct Marked {
    /// The change must have committed by then, or roll back.
    pub commit_by: Instant,
}

impl Ledger {
    /// Before a change commits: from now on no gateway uses what it remembers of this tenant.
    pub async fn mark(&self, tenant: TenantId, change: Uuid) -> Result<Marked, LedgerError> {
        let _ = (tenant, change, COMMIT_WITHIN);
        unimplemented!()
    }

    /// After the change has committed and before it is answered: `epoch` is the `config_epoch` it wrote.
    pub async fn publish(&self, tenant: TenantId, change: Uuid, epoch: u64) -> Result<(), LedgerError> {
        let _ = (tenant, change, epoch);
        unimplemented!()
    }

    /// After the change was certainly rolled back: takes its mark out. When it is not known whether a change
    /// committed, leave the mark alone.
    pub async fn withdraw(&self, tenant: TenantId, change: Uuid) -> Result<(), LedgerError> {
        let _ = (tenant, change);
        unimplemented!()
    }
}
