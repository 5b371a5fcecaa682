//! Whose rows are whose, and what nobody may do to them. Statements here go past our own code on purpose.

use audit::{Filter, Format};
use futures_util::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::desk::Desk;

async fn refused(connection: &mut PgConnection, statement: &str) -> String {
    let result = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut *connection).await;
    let Err(sqlx::Error::Database(error)) = result else { panic!("`{statement}` gave {result:?}") };
    error.code().unwrap_or_default().into_owned()
}

#[tokio::test]
async fn another_tenant_finds_nothing() {
    let desk = Desk::new().await;
    let decision = desk.denied();
    desk.record(&decision).await;
    desk.drain().once().await.unwrap();
    let other = Desk { tenant: desk.id(), ..desk };
    assert_eq!(other.rows().await, []);
    assert_eq!(other.get(&decision).await, None);
    let mut tx = other.storage.tenant(other.tenant).await.unwrap();
    assert_eq!(audit::histogram(&mut tx, &Filter::default()).await.unwrap(), []);
    let start = audit::tail_start(&mut tx).await.unwrap();
    assert_eq!(start.to_string(), "0");
    assert_eq!(audit::tail(&mut tx, &Filter::default(), start).await.unwrap().rows, []);
    let export = audit::export(other.storage.clone(), other.tenant, Filter::default(), Format::Ndjson);
    assert_eq!(export.try_collect::<Vec<_>>().await.unwrap().len(), 0);
    // Also where no statement asks for the tenant.
    for table in [
        "decisions",
        "decision_hours",
        "decision_server_hours",
        "decision_tool_hours",
        "decision_grant_hours",
        "audit_batches",
        "audit_heads",
    ] {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
            .fetch_one(tx.connection())
            .await
            .unwrap();
        assert_eq!(count, 0, "{table}");
    }
}

#[tokio::test]
async fn the_tenant_role_only_reads() {
    let desk = Desk::new().await;
    desk.record(&desk.allowed()).await;
    desk.drain().once().await.unwrap();
    for statement in [
        "UPDATE decisions SET rule = 'x'",
        "UPDATE decisions SET closed_at = now(), closed_batch = 1",
        "DELETE FROM decisions",
        "TRUNCATE decisions",
        "INSERT INTO decisions (tenant_id) VALUES (app_tenant_id())",
        "DELETE FROM decisions_default",
        "SELECT * FROM decisions_default",
        "UPDATE audit_batches SET hash = hash",
        "DELETE FROM audit_batches",
        "UPDATE audit_heads SET number = 0",
        "UPDATE decision_hours SET count = 0",
        "UPDATE decision_server_hours SET count = 0",
        "UPDATE decision_tool_hours SET count = 0",
        "DELETE FROM decision_grant_hours",
        "SELECT * FROM early_closings",
        "SELECT make_log_partitions('2028-01-01', 1)",
        "SELECT drop_log_partitions('2099-01-01')",
    ] {
        let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
        assert_eq!(refused(tx.connection(), statement).await, "42501", "{statement}");
    }
}

#[tokio::test]
async fn the_system_role_completes_an_open_row_once_and_nothing_else() {
    let desk = Desk::new().await;
    let (open, closed) = (desk.allowed(), desk.denied());
    desk.record(&open).await;
    desk.record(&closed).await;
    desk.drain().once().await.unwrap();
    for statement in [
        "UPDATE decisions SET rule = 'x'",
        "UPDATE decisions SET decided = 'allow'",
        "UPDATE decisions SET forwards = false",
        "DELETE FROM decisions",
        "TRUNCATE decisions",
        "SELECT * FROM decisions_default",
        "UPDATE audit_batches SET hash = hash",
        "DELETE FROM audit_batches",
        "DELETE FROM audit_heads",
        "DELETE FROM decision_grant_hours",
        "UPDATE decision_hours SET outcome = 'deny'",
    ] {
        let mut tx = desk.storage.system().await.unwrap();
        assert_eq!(refused(tx.connection(), statement).await, "42501", "{statement}");
    }
    let complete = |id: domain::DecisionId| {
        format!("UPDATE decisions SET closed_at = now(), closed_batch = 9, failed = true WHERE id = '{id}'")
    };
    let mut tx = desk.storage.system().await.unwrap();
    assert_eq!(refused(tx.connection(), &complete(closed.id)).await, "TG002");
    let mut tx = desk.storage.system().await.unwrap();
    let failed_alone = format!("UPDATE decisions SET failed = true WHERE id = '{}'", open.id);
    assert_eq!(refused(tx.connection(), &failed_alone).await, "TG002");
    let mut tx = desk.storage.system().await.unwrap();
    sqlx::query(AssertSqlSafe(complete(open.id))).execute(tx.connection()).await.unwrap();
    assert_eq!(refused(tx.connection(), &complete(open.id)).await, "TG002");
}

#[tokio::test]
async fn the_application_is_no_superuser_and_skips_no_security() {
    let desk = Desk::new().await;
    let mut tx = desk.storage.system().await.unwrap();
    let privileged: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM pg_roles WHERE rolname IN (session_user, current_user) AND (rolsuper OR rolbypassrls)",
    )
    .fetch_one(tx.connection())
    .await
    .unwrap();
    assert_eq!(privileged, 0);
}
