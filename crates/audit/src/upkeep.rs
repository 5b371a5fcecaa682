//! Keeping the table: partitions ahead of time, endings of rows whose gateway was lost or that counted a flood, and of questions
//! to people that nobody answered. What becomes of old days is in [`crate::retention`].

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::TenantId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::Error;
use crate::drain::Drain;
use crate::stored::Ending;
use crate::write::{Batch, MOST, write};

/// How often rows are looked for that nobody else will end.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// Sweeps between two rounds of partitions and retention.
const SWEEPS_A_ROUND: u32 = 720;
/// Days that have their partition before they come.
const DAYS_AHEAD: i32 = 7;
/// How long an ending waits for its decision.
const EARLY_FOR: Duration = Duration::from_hours(24);

/// A row to be ended.
struct Open {
    tenant: TenantId,
    decided_at: DateTime<Utc>,
    id: Uuid,
    counts: bool,
}

impl Drain {
    pub(crate) async fn keep_up(&self, stop: &CancellationToken) {
        for sweep in 1_u32.. {
            report("sweep", self.sweep().await);
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => {}
                () = stop.cancelled() => return,
            }
            if sweep % SWEEPS_A_ROUND == 0 {
                self.keep().await;
            }
        }
    }

    /// A round of partitions and retention.
    pub(crate) async fn keep(&self) {
        report("partitions", self.make_partitions().await);
        report("retention", self.retire().await);
    }

    /// Makes the partitions of today and the days to come. Without one, rows go to the default partition.
    pub async fn make_partitions(&self) -> Result<(), Error> {
        let mut tx = self.storage.system().await?;
        sqlx::query!("SELECT make_log_partitions($1, $2)", self.clock.now().date_naive(), DAYS_AHEAD)
            .execute(tx.connection())
            .await?;
        Ok(tx.commit().await?)
    }

    /// Closes the questions about calls that nobody answered in time, and ends the rows that nobody else will: those that counted a flood, once its span is over, and those whose gateway
    /// is lost, as `unknown`. Should a lost one end after all, that is written over the `unknown`.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.expire_approvals(now).await?;
        loop {
            let open = self.ripe(now).await?;
            let full = open.len() == MOST;
            let mut batches: BTreeMap<TenantId, Batch> = BTreeMap::new();
            for row in open {
                let repeats = if row.counts {
                    Some(self.ledger.repeats(row.tenant, row.id.into()).await?)
                } else {
                    None
                };
                batches.entry(row.tenant).or_default().endings.push(Ending {
                    decided_at: row.decided_at,
                    id: row.id,
                    closed_at: now,
                    lost: (!row.counts).then_some(true),
                    repeats: repeats.map(|repeats| i64::try_from(repeats).unwrap_or(i64::MAX)),
                    ..Ending::default()
                });
            }
            for (tenant, batch) in batches {
                let mut tx = self.storage.system().await?;
                write(&mut tx, now, tenant, batch).await?;
                tx.commit().await?;
            }
            if !full {
                return self.forget_early(now).await;
            }
        }
    }

    async fn ripe(&self, now: DateTime<Utc>) -> Result<Vec<Open>, Error> {
        let mut tx = self.storage.system().await?;
        let rows = sqlx::query!(
            r#"SELECT tenant_id, decided_at, id, counting_until IS NOT NULL AS "counts!" FROM decisions
               WHERE completion = 'open' AND CASE WHEN counting_until IS NULL THEN decided_at < $1 ELSE counting_until < $2 END
               ORDER BY decided_at LIMIT $3"#,
            now - self.settings.lost_after,
            now,
            i64::try_from(MOST).unwrap_or(i64::MAX)
        )
        .fetch_all(tx.connection())
        .await?;
        let open = rows.into_iter().map(|row| Open {
            tenant: row.tenant_id.into(),
            decided_at: row.decided_at,
            id: row.id,
            counts: row.counts,
        });
        Ok(open.collect())
    }

    /// The arguments of a call are kept for the person who decides about it: when that can't be done any more, they go.
    async fn expire_approvals(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.storage.system().await?;
        tx.expire_approvals(now).await?;
        Ok(tx.commit().await?)
    }

    async fn forget_early(&self, now: DateTime<Utc>) -> Result<(), Error> {
        let mut tx = self.storage.system().await?;
        let forgotten = sqlx::query!("DELETE FROM early_closings WHERE arrived_at < $1", now - EARLY_FOR)
            .execute(tx.connection())
            .await?;
        if forgotten.rows_affected() > 0 {
            tracing::error!(endings = forgotten.rows_affected(), "endings came for decisions that never did");
        }
        Ok(tx.commit().await?)
    }
}

fn report(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, what, "the log could not be kept; it is tried again");
    }
}
