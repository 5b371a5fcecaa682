//! What a grant calls an upstream's task: kept for as long as the upstream keeps the task, so that lists of tasks and news of
//! them can be held against it. Lost with Redis; the names themselves say all that is needed to ask for a task.

use std::time::Duration;

use domain::TenantId;

use crate::{Ledger, LedgerError, Shard};

impl Ledger {
    /// Keeps the name of a task: `task` is a hash, unique within the tenant, of grant, server and the upstream's id.
    pub async fn keep_task(
        &self,
        tenant: TenantId,
        task: &[u8; 32],
        name: &str,
        kept: Duration,
    ) -> Result<(), LedgerError> {
        let mut command = redis::cmd("SET");
        command.arg(self.keys().task(tenant, task)).arg(name).arg("EX").arg(kept.as_secs().max(1));
        self.send::<()>(Shard::of(tenant), &command).await
    }

    /// The names of tasks, in their order; nothing for one that was never kept or is no longer.
    pub async fn task_names(
        &self,
        tenant: TenantId,
        tasks: &[[u8; 32]],
    ) -> Result<Vec<Option<String>>, LedgerError> {
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("MGET");
        for task in tasks {
            command.arg(self.keys().task(tenant, task));
        }
        let names: Vec<Option<String>> = self.send(Shard::of(tenant), &command).await?;
        if names.len() == tasks.len() { Ok(names) } else { Err(LedgerError::shape("task_names")) }
    }
}
