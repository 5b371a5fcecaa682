//! Dropping the days that are no longer kept. Each chain keeps where it was cut: the last batch of each day that goes.

use chrono::{NaiveDate, NaiveTime, TimeDelta};
use sqlx::PgConnection;

use crate::Error;
use crate::drain::Drain;

impl Drain {
    /// Drops the days that are no longer kept: their rows, their counts, the questions to people that were asked on them, and a day
    /// later their batches.
    pub async fn retire(&self) -> Result<(), Error> {
        let Some(days) = self.settings.keep_days else { return Ok(()) };
        let first = self.clock.now().date_naive() - TimeDelta::days(i64::from(days.max(1)) - 1);
        let mut tx = self.storage.system().await?;
        let connection = tx.connection();
        // Dropping waits for readers and makes writers wait: better to try again later than to hold them up.
        sqlx::query!("SET LOCAL lock_timeout = '2s'").execute(&mut *connection).await?;
        if is_done(connection, first).await? {
            return Ok(());
        }
        // Whoever writes a batch holds its head: none comes while days are dropped.
        sqlx::query!("SELECT FROM audit_heads ORDER BY tenant_id FOR UPDATE")
            .execute(&mut *connection)
            .await?;
        keep_anchors(connection, first).await?;
        sqlx::query!("SELECT drop_log_partitions($1)", first).execute(&mut *connection).await?;
        sqlx::query!(
            "UPDATE audit_heads SET kept_from = $1, kept_behind = number",
            first.and_time(NaiveTime::MIN).and_utc()
        )
        .execute(connection)
        .await?;
        tx.forget_approvals(first.and_time(NaiveTime::MIN).and_utc()).await?;
        Ok(tx.commit().await?)
    }
}

async fn is_done(connection: &mut PgConnection, first: NaiveDate) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(
        r#"SELECT NOT EXISTS (SELECT FROM audit_heads WHERE kept_from IS NULL OR kept_from < $1) AS "done!""#,
        first.and_time(NaiveTime::MIN).and_utc()
    )
    .fetch_one(connection)
    .await?)
}

/// Batches are kept a day longer than rows: a row may be written shortly after it was decided.
async fn keep_anchors(connection: &mut PgConnection, first: NaiveDate) -> Result<(), Error> {
    let behind = (first - TimeDelta::days(1)).and_time(NaiveTime::MIN).and_utc();
    sqlx::query!(
        "INSERT INTO audit_anchors AS a (tenant_id, day, number, hash)
         SELECT DISTINCT ON (1, 2) tenant_id, (written_at AT TIME ZONE 'UTC')::date, number, hash
         FROM audit_batches WHERE written_at < $1 ORDER BY 1, 2, 3 DESC
         ON CONFLICT (tenant_id, day) DO UPDATE SET number = excluded.number, hash = excluded.hash
             WHERE a.number < excluded.number",
        behind
    )
    .execute(connection)
    .await?;
    Ok(())
}
