//! A change of what calls are judged by: raised epoch, in time or not at all.

use std::time::Duration;

use storage::Error;

use crate::fixture::{now, two_tenants};

async fn epoch(db: &testkit::TestDb, tenant: domain::TenantId) -> i64 {
    sqlx::query_scalar("SELECT config_epoch FROM tenants WHERE id = $1")
        .bind(tenant.uuid())
        .fetch_one(&mut db.owner().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_change_raises_the_epoch_of_its_tenant_alone() {
    let (db, one, two) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.revoke_grant(one.grant, now()).await.unwrap());
    assert_eq!(tx.raise_epoch().await.unwrap(), 3);
    tx.commit().await.unwrap();
    assert_eq!((epoch(&db, one.id).await, epoch(&db, two.id).await), (3, 2));
}

#[tokio::test]
async fn a_dropped_change_leaves_nothing() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.revoke_grant(one.grant, now()).await.unwrap());
    tx.raise_epoch().await.unwrap();
    drop(tx);
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    assert_eq!(tx.grants(None, Some(one.grant), now()).await.unwrap()[0].revoked_at, None);
    assert_eq!(epoch(&db, one.id).await, 2);
}

#[tokio::test]
async fn a_change_past_its_time_is_refused_at_the_commit() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.revoke_grant(one.grant, now()).await.unwrap());
    tx.raise_epoch().await.unwrap();
    // As if five seconds had passed since it began.
    sqlx::query("SELECT set_config('app.commit_by', (clock_timestamp() - interval '1 ms')::text, true)")
        .execute(tx.connection())
        .await
        .unwrap();
    assert!(matches!(tx.commit().await, Err(Error::TooLate)));
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    assert_eq!(tx.grants(None, Some(one.grant), now()).await.unwrap()[0].revoked_at, None);
    assert_eq!(epoch(&db, one.id).await, 2);
}

#[tokio::test]
async fn the_epoch_can_not_be_raised_outside_of_a_change() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    sqlx::query("UPDATE tenants SET config_epoch = config_epoch + 1").execute(tx.connection()).await.unwrap();
    assert!(matches!(tx.commit().await, Err(Error::TooLate)));
    assert_eq!(epoch(&db, one.id).await, 2);
}

#[tokio::test]
async fn changes_of_one_tenant_wait_for_each_other() {
    let (db, one, _) = two_tenants().await;
    let mut first = db.storage.change(one.id).await.unwrap();
    assert_eq!(first.raise_epoch().await.unwrap(), 3);
    let storage = db.storage.clone();
    let mut second = tokio::spawn(async move {
        let mut tx = storage.change(one.id).await.unwrap();
        let epoch = tx.raise_epoch().await.unwrap();
        tx.commit().await.unwrap();
        epoch
    });
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut second).await.is_err(), "it did not wait");
    first.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), 4);
    assert_eq!(epoch(&db, one.id).await, 4);
}

#[tokio::test]
async fn the_server_is_told_to_end_a_change_that_sleeps() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    let limits: (String, String) = sqlx::query_as(
        "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')",
    )
    .fetch_one(tx.connection())
    .await
    .unwrap();
    assert_eq!(limits, ("5s".to_owned(), "5s".to_owned()));
}
