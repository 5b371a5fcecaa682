//! The chain: whatever somebody with the owner's rights does to the table is found, and the row is named.

use audit::{Fault, Verified, verify};
use domain::DecisionId;
use ledger::GiveBack;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::desk::Desk;

/// Nine rows in three batches; the last of each batch ended in the next one. Their ids, oldest first.
pub async fn chained() -> (Desk, Vec<DecisionId>, PgConnection) {
    let desk = Desk::new().await;
    let mut ids = Vec::new();
    let mut open = None;
    for _ in 0..3 {
        if let Some(open) = open.take() {
            desk.close(&desk.closing(&open), GiveBack::Nothing).await;
        }
        for decision in [desk.denied(), desk.denied(), desk.allowed()] {
            desk.advance(std::time::Duration::from_millis(1));
            let decision = audit::Decision { id: desk.id(), decided_at: desk.clock.now(), ..decision };
            desk.record(&decision).await;
            ids.push(decision.id);
            open = Some(decision);
        }
        desk.drain().once().await.unwrap();
    }
    assert_eq!(desk.verified().await, 9);
    let mut owner = desk.db.owner().await;
    for table in ["decisions", "audit_batches"] {
        execute(&mut owner, &format!("ALTER TABLE {table} DISABLE TRIGGER ALL")).await;
    }
    (desk, ids, owner)
}

pub async fn execute(owner: &mut PgConnection, statement: &str) {
    let done = sqlx::query(AssertSqlSafe(statement.to_owned())).execute(owner).await.unwrap();
    assert!(statement.starts_with("ALTER") || done.rows_affected() > 0, "`{statement}` did nothing");
}

async fn fault(desk: &Desk) -> Option<Fault> {
    verify(&desk.storage, desk.tenant).await.unwrap().fault
}

#[tokio::test]
async fn a_change_in_any_column_is_found() {
    let (desk, ids, mut owner) = chained().await;
    let id = ids[4].uuid();
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = 'decisions' AND is_generated = 'NEVER'
             AND column_name NOT IN ('tenant_id', 'decided_at', 'id', 'batch', 'closed_batch', 'closed_at')",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert!(columns.len() > 35, "{columns:?}");
    execute(&mut owner, &format!("CREATE TEMP TABLE was AS SELECT * FROM decisions WHERE id = '{id}'")).await;
    for (column, kind) in columns {
        let value = match (column.as_str(), kind.as_str()) {
            ("decided", _) => "'allow'",
            (_, "text") => "'x'",
            (_, "uuid") => "'01890a5d-ac96-774b-bcce-b302099a8057'",
            (_, "boolean") => "true",
            (_, "ARRAY") => "'{x}'",
            (_, "timestamp with time zone") => "now()",
            (_, "bigint" | "integer") => "77",
            other => panic!("{other:?}"),
        };
        execute(&mut owner, &format!("UPDATE decisions SET {column} = {value} WHERE id = '{id}'")).await;
        assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[4])), "{column}");
        let back = format!("UPDATE decisions SET {column} = (SELECT {column} FROM was) WHERE id = '{id}'");
        execute(&mut owner, &back).await;
        assert_eq!(fault(&desk).await, None, "{column} put back");
    }
}

#[tokio::test]
async fn a_changed_ending_is_found() {
    let (desk, ids, mut owner) = chained().await;
    // Row 2 was allowed in batch 1 and ended in batch 2; row 8 is open.
    for change in
        ["failed = true", "upstream_status = 500", "refunded = true", "closed_at = now()", "repeats = 2"]
    {
        let (desk, ids, mut owner) = chained().await;
        execute(&mut owner, &format!("UPDATE decisions SET {change} WHERE id = '{}'", ids[2])).await;
        assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[2])), "{change}");
    }
    let ended = format!(
        "UPDATE decisions SET closed_at = now(), closed_batch = 3, failed = false WHERE id = '{}'",
        ids[8]
    );
    execute(&mut owner, &ended).await;
    assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[8])), "an ending that nobody wrote");
}

#[tokio::test]
async fn an_ending_taken_away_is_found() {
    let (desk, ids, mut owner) = chained().await;
    let reopened = "closed_at = NULL, closed_batch = NULL, failed = NULL, upstream_status = NULL, gateway_micros = NULL, \
                    upstream_micros = NULL, response_bytes = NULL, refunded = NULL";
    execute(&mut owner, &format!("UPDATE decisions SET {reopened} WHERE id = '{}'", ids[2])).await;
    assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[2])));
}

#[tokio::test]
async fn a_removed_row_is_found() {
    for n in [0, 4, 8] {
        let (desk, ids, mut owner) = chained().await;
        execute(&mut owner, &format!("DELETE FROM decisions WHERE id = '{}'", ids[n])).await;
        assert_eq!(fault(&desk).await, Some(Fault::Removed(ids[n])));
    }
}

#[tokio::test]
async fn the_first_of_several_is_named() {
    let (desk, ids, mut owner) = chained().await;
    execute(&mut owner, &format!("DELETE FROM decisions WHERE id = '{}'", ids[7])).await;
    execute(&mut owner, &format!("UPDATE decisions SET tool = 'x' WHERE id = '{}'", ids[3])).await;
    assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[3])));
}

#[tokio::test]
async fn a_row_slipped_in_is_found_whatever_batch_it_claims() {
    for batch in [-1, 0, 1, 3, 4, 1000] {
        let (desk, ids, mut owner) = chained().await;
        let extra: DecisionId = desk.id();
        let statement = format!(
            "INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, argument_keys)
             SELECT tenant_id, decided_at, '{extra}', {batch}, 'allow', false, '{{}}' FROM decisions WHERE id = '{}'",
            ids[4]
        );
        execute(&mut owner, &statement).await;
        assert_eq!(fault(&desk).await, Some(Fault::SlippedIn(extra)), "batch {batch}");
    }
}

#[tokio::test]
async fn a_row_moved_to_another_batch_time_or_tenant_is_found() {
    let (desk, ids, mut owner) = chained().await;
    execute(&mut owner, &format!("UPDATE decisions SET batch = 3 WHERE id = '{}'", ids[1])).await;
    assert_eq!(fault(&desk).await, Some(Fault::Changed(ids[1])));

    let (desk, ids, mut owner) = chained().await;
    execute(
        &mut owner,
        &format!("UPDATE decisions SET decided_at = decided_at - interval '1 h' WHERE id = '{}'", ids[1]),
    )
    .await;
    assert_eq!(fault(&desk).await, Some(Fault::Removed(ids[1])));

    let (desk, ids, mut owner) = chained().await;
    let other: domain::TenantId = desk.id();
    execute(&mut owner, &format!("UPDATE decisions SET tenant_id = '{other}' WHERE id = '{}'", ids[1])).await;
    assert_eq!(fault(&desk).await, Some(Fault::Removed(ids[1])));
}

#[tokio::test]
async fn a_chain_that_was_cut_or_rewritten_is_found() {
    for (statement, batch) in [
        ("DELETE FROM audit_batches WHERE number = 1", 1),
        ("DELETE FROM audit_batches WHERE number = 2", 2),
        ("DELETE FROM audit_batches WHERE number = 3", 3),
        ("UPDATE audit_batches SET hash = previous WHERE number = 2", 2),
        ("UPDATE audit_batches SET entries = entries || entries WHERE number = 2", 2),
        ("UPDATE audit_heads SET hash = '\\x00'", 3),
    ] {
        let (desk, _, mut owner) = chained().await;
        execute(&mut owner, statement).await;
        assert_eq!(fault(&desk).await, Some(Fault::Batch(batch)), "{statement}");
    }
}

#[tokio::test]
async fn the_head_tells_two_logs_apart() {
    let (desk, _, _owner) = chained().await;
    let Verified { batches, rows, head, fault } = verify(&desk.storage, desk.tenant).await.unwrap();
    assert_eq!((batches, rows, fault), (3, 9, None));
    assert!(head.len() == 64 && head.bytes().all(|b| b.is_ascii_hexdigit()));
    desk.record(&desk.denied()).await;
    desk.drain().once().await.unwrap();
    assert_ne!(verify(&desk.storage, desk.tenant).await.unwrap().head, head);
    assert_eq!(audit::tenants(&desk.storage).await.unwrap(), [desk.tenant]);
    let nobody = verify(&desk.storage, desk.id()).await.unwrap();
    assert_eq!((nobody.batches, nobody.rows, nobody.fault), (0, 0, None));
}
