//! An owner of the tables that is no superuser: what was in the log before there were counts is counted, and where a chain begins
//! whose old days were dropped is known.

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use testkit::TestDb;

use crate::desk::MISCOUNTED;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");

/// The first migration that counts.
const COUNTS: i64 = 113;
/// The migration that brings anchors.
const ANCHORS: i64 = 114;

/// Rows of two organisations on two days with a partition and one without: allowed, refused, failed, and by nobody who is known.
const ROWS: &str = "
    SELECT make_log_partitions('2026-01-10', 2);
    INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, argument_keys, server_id, grant_id, identity, tool,
        rule, closed_batch, closed_at, failed)
    SELECT md5('tenant' || n % 2)::uuid, '2026-01-10 20:00Z'::timestamptz + n * interval '13 minutes', gen_random_uuid(), 1,
        CASE WHEN n % 3 = 0 THEN 'deny' ELSE 'allow' END, n % 3 <> 0, '{}',
        CASE WHEN n % 5 <> 0 THEN md5('server' || n % 4)::uuid END, CASE WHEN n % 7 <> 0 THEN md5('grant' || n % 4)::uuid END,
        CASE WHEN n % 7 <> 0 THEN 'somebody' || n % 4 END, CASE WHEN n % 5 <> 0 THEN 'tool' || n % 6 END,
        CASE WHEN n % 3 = 0 THEN '/default' END, 1, now(), n % 11 = 0
    FROM generate_series(1, 300) n";

/// A database of such an owner's, beside `db`.
struct Plain {
    name: String,
    owner_url: String,
    url: String,
    /// As a superuser.
    database: PgConnection,
    server: PgConnection,
}

impl Plain {
    async fn new(db: &TestDb) -> Self {
        let (server, stem) = db.owner_url.rsplit_once('/').unwrap();
        let (_, host) = server.split_once('@').unwrap();
        let (login, _) = db.url.rsplit_once('/').unwrap();
        let name = format!("{stem}_plain");
        let mut server_connection = db.owner().await;
        for statement in [
            format!("CREATE ROLE {name} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD 'plain'"),
            format!("CREATE DATABASE {name} OWNER {name}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut server_connection).await.unwrap();
        }
        let database = PgConnection::connect(&format!("{server}/{name}")).await.unwrap();
        Self {
            owner_url: format!("postgres://{name}:plain@{host}/{name}"),
            url: format!("{login}/{name}"),
            name,
            database,
            server: server_connection,
        }
    }

    /// As far as migrations go that come before `version`.
    async fn migrate_before(&self, version: i64) {
        let before = MIGRATIONS.iter().filter(|migration| migration.version < version).cloned().collect();
        let mut owner = PgConnection::connect(&self.owner_url).await.unwrap();
        Migrator::with_migrations(before).run(&mut owner).await.unwrap();
        owner.close().await.unwrap();
    }

    async fn run(&mut self, statements: &'static str) {
        sqlx::raw_sql(statements).execute(&mut self.database).await.unwrap();
    }

    async fn number(&mut self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.database).await.unwrap()
    }

    /// What is wrong with the counts, once it is up to date; of many, the first few.
    async fn miscounted(&mut self) -> Vec<String> {
        storage::migrate(&self.owner_url, &self.url).await.unwrap();
        let mut wrong = sqlx::query_scalar(MISCOUNTED).fetch_all(&mut self.database).await.unwrap();
        wrong.truncate(5);
        wrong
    }

    async fn drop(mut self) {
        self.database.close().await.unwrap();
        for statement in
            [format!("DROP DATABASE {} WITH (FORCE)", self.name), format!("DROP ROLE {}", self.name)]
        {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut self.server).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_there_is_counted_also_for_an_owner_that_row_level_security_holds() {
    let db = testkit::database().await;
    let mut plain = Plain::new(&db).await;
    plain.migrate_before(COUNTS).await;
    plain.run(ROWS).await;
    assert_eq!(plain.number("SELECT count(DISTINCT tableoid) FROM decisions").await, 3);
    assert_eq!(plain.miscounted().await, Vec::<String>::new());
    assert_eq!(plain.number("SELECT sum(count)::bigint FROM decision_hours").await, 300);
    // Retention, too, is the owner's work.
    plain.run("SET ROLE tollgate_system; SELECT drop_log_partitions('2026-01-11'); RESET ROLE").await;
    assert!(plain.number("SELECT count(*) FROM decisions").await < 300);
    assert_eq!(plain.miscounted().await, Vec::<String>::new());
    plain.drop().await;
}

#[tokio::test]
async fn what_was_counted_in_part_is_counted_anew() {
    let db = testkit::database().await;
    let mut plain = Plain::new(&db).await;
    plain.migrate_before(COUNTS).await;
    plain.run(ROWS).await;
    plain.migrate_before(COUNTS + 4).await;
    assert_eq!(plain.number("SELECT count(*) FROM decision_hours").await, 0, "the owner saw no rows");
    // As a drain has counted since: one more row, and one that turned out to have failed.
    plain
        .run(
            "INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, argument_keys, tool, server_id)
             VALUES (md5('tenant0')::uuid, '2026-02-01 00:10Z', gen_random_uuid(), 2, 'allow', true, '{}', 'tool9',
                 md5('server9')::uuid);
             INSERT INTO decision_hours SELECT tenant_id, '2026-02-01 00:00Z', server_id, tool, '', 'allow', 1, decided_at
             FROM decisions WHERE batch = 2;
             INSERT INTO decision_hours SELECT md5('tenant0')::uuid, '2026-01-10 20:00Z', md5('server1')::uuid, 'tool1', '', outcome,
                 count, now() FROM (VALUES ('allow', -1), ('error', 1)) r (outcome, count)",
        )
        .await;
    assert_eq!(plain.miscounted().await, Vec::<String>::new());
    plain.drop().await;
}

#[tokio::test]
async fn chains_whose_old_days_were_dropped_before_there_were_anchors_have_one() {
    let db = testkit::database().await;
    let mut plain = Plain::new(&db).await;
    plain.migrate_before(ANCHORS).await;
    // Some batches are kept of the first, none of the second; of the third nothing was dropped.
    plain
        .run(
            "INSERT INTO audit_heads (tenant_id, number, hash, kept_from)
             SELECT md5('tenant' || n)::uuid, 9, decode(repeat('09', 32), 'hex'), CASE WHEN n < 3 THEN '2026-01-12Z'::timestamptz END
             FROM generate_series(1, 3) n;
             INSERT INTO audit_batches (tenant_id, number, written_at, entries, previous, hash)
             SELECT md5('tenant' || n)::uuid, number, '2026-01-12 10:00Z', '{}', decode(repeat('0' || number - 1, 32), 'hex'),
                 decode(repeat('0' || number, 32), 'hex')
             FROM generate_series(5, 9) number, (VALUES (1), (3)) t (n)",
        )
        .await;
    plain.migrate_before(ANCHORS + 4).await;
    assert_eq!(plain.number("SELECT count(kept_behind) FROM audit_heads").await, 0, "the owner saw no heads");
    storage::migrate(&plain.owner_url, &plain.url).await.unwrap();
    let known = "SELECT coalesce(h.kept_behind, 0) * 1000 + coalesce(a.number, 0) * 10 + coalesce(get_byte(a.hash, 0), 0)
        FROM audit_heads h LEFT JOIN audit_anchors a ON a.tenant_id = h.tenant_id AND a.day = '2026-01-10'
        ORDER BY h.tenant_id = md5('tenant1')::uuid DESC, h.tenant_id = md5('tenant2')::uuid DESC";
    let known: Vec<i64> = sqlx::query_scalar(known).fetch_all(&mut plain.database).await.unwrap();
    assert_eq!(known, [9_044, 9_099, 0], "kept behind, the anchor's number, a byte of its hash");
    plain.drop().await;
}
