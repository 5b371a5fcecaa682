//! Records of requests that were refused before a policy could judge them.

use domain::TenantId;

use crate::{Ledger, LedgerError};

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// It is in the stream.
    Recorded,
    /// The same was recorded less than the span ago, so this one was only counted.
    Repeated,
    /// The stream is full; nothing was written.
    Full,
}

impl Ledger {
    /// Appends a record, whatever the epoch.
    pub async fn append(&self, tenant: TenantId, record: &[u8]) -> Result<Appended, LedgerError> {
        let _ = (tenant, record);
        unimplemented!()
    }

    /// Appends a record unless one with the same `key` (a hash) was appended less than `seconds` ago, by any gateway; counts
    /// them all.
    pub async fn append_once(
        &self,
        tenant: TenantId,
        key: &[u8; 32],
        seconds: u32,
        record: &[u8],
    ) -> Result<Appended, LedgerError> {
        let _ = (tenant, key, seconds, record);
        unimplemented!()
    }
}
