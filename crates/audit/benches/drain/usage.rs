//! Processor time of Postgres, Redis and this process, from `/proc`: elsewhere, and where they run on another machine, it is 0.

use std::fs;

use sqlx::PgConnection;
use testkit::TestDb;

/// Microseconds of a tick, as the kernel tells them to programs.
const TICK: u64 = 10_000;

/// Names, and microseconds until now.
pub type Used = [(&'static str, u64); 4];

/// The processes that the drain keeps busy.
pub struct Programs {
    owner: PgConnection,
    redis: Option<u32>,
}

impl Programs {
    pub async fn of(db: &TestDb) -> Self {
        let address = testkit::environment("REDIS_URL").unwrap();
        let port = address.rsplit(':').next().and_then(|end| end.trim_end_matches('/').parse::<u16>().ok());
        let named = |process: &u32| {
            let line = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
            port.is_some_and(|port| line.contains("-server") && line.contains(&format!(":{port}")))
        };
        Self { owner: db.owner().await, redis: processes().find(named) }
    }

    /// Of Postgres' processes for this database and for all, of Redis, of this process, and of the callers'.
    pub async fn used(&mut self, callers: Option<u32>) -> Used {
        let backends: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                 OR backend_type IN ('walwriter', 'background writer', 'checkpointer')",
        )
        .fetch_all(&mut self.owner)
        .await
        .unwrap();
        let postgres = backends.into_iter().filter_map(|process| stat(u32::try_from(process).ok()?)).sum();
        let of = |process: Option<u32>| process.and_then(stat).unwrap_or(0);
        [
            ("Postgres", postgres),
            ("Redis", of(self.redis)),
            ("the drain", of(Some(std::process::id()))),
            ("callers", of(callers)),
        ]
    }

    /// Rows of the log, as they were counted.
    pub async fn rows(&mut self) -> u64 {
        let rows: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(count), 0)::bigint FROM decision_server_hours
             WHERE server_id = 'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        )
        .fetch_one(&mut self.owner)
        .await
        .unwrap();
        rows.unsigned_abs()
    }
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// proc(5): microseconds in user and kernel mode.
fn stat(process: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some((number(11)? + number(12)?) * TICK)
}
