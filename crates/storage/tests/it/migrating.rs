//! Bringing databases up to date, several at once.

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use storage::{MigrateError, migrate};
use tokio::task::{JoinSet, LocalSet};

/// The address of another database beside the one given.
fn beside(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

#[tokio::test]
async fn migrating_again_changes_nothing() {
    let db = testkit::database().await;
    migrate(&db.owner_url, &db.url).await.unwrap();
    db.storage.ready().await.unwrap();
}

#[tokio::test]
async fn databases_of_one_cluster_can_be_migrated_at_once() {
    let db = testkit::database().await;
    let (_, stem) = db.url.rsplit_once('/').unwrap();
    // A login role that nobody has made yet, so that all of them try.
    let login = format!("login_{stem}");
    let names: Vec<_> = (0..4).map(|n| format!("{stem}_{n}")).collect();
    let mut owner = PgConnection::connect(&db.owner_url).await.unwrap();
    for name in &names {
        sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut owner).await.unwrap();
    }
    let (_, host) = db.owner_url.split_once('@').unwrap();
    let (host, _) = host.rsplit_once('/').unwrap();
    let mut runs = JoinSet::new();
    let local = LocalSet::new();
    for name in names.iter().chain(&names) {
        let owner_url = beside(&db.owner_url, name);
        let url = format!("postgres://{login}:p%40ss%25word@{host}/{name}");
        runs.spawn_local_on(async move { migrate(&owner_url, &url).await }, &local);
    }
    let results = local.run_until(runs.join_all()).await;
    let stored: Option<Option<String>> =
        sqlx::query_scalar("SELECT rolpassword FROM pg_authid WHERE rolname = $1")
            .bind(&login)
            .fetch_optional(&mut owner)
            .await
            .unwrap();
    for name in &names {
        sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
            .execute(&mut owner)
            .await
            .unwrap();
    }
    sqlx::raw_sql(AssertSqlSafe(format!("DROP ROLE IF EXISTS {login}"))).execute(&mut owner).await.unwrap();
    for result in results {
        result.unwrap();
    }
    assert!(stored.flatten().unwrap().starts_with("SCRAM-SHA-256$"));
}

#[tokio::test]
async fn the_owner_can_not_be_the_applications_login() {
    let db = testkit::database().await;
    assert!(matches!(migrate(&db.owner_url, &db.owner_url).await, Err(MigrateError::SharedLogin(_))));
}

#[tokio::test]
async fn a_login_that_skips_row_level_security_is_refused() {
    let db = testkit::database().await;
    let (_, stem) = db.url.rsplit_once('/').unwrap();
    let login = format!("privileged_{stem}");
    let mut owner = db.owner().await;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE ROLE {login} LOGIN BYPASSRLS")))
        .execute(&mut owner)
        .await
        .unwrap();
    let (_, host) = db.owner_url.split_once('@').unwrap();
    let refused = migrate(&db.owner_url, &format!("postgres://{login}@{host}")).await;
    sqlx::raw_sql(AssertSqlSafe(format!("DROP ROLE {login}"))).execute(&mut owner).await.unwrap();
    assert!(matches!(refused, Err(MigrateError::Privileged(name)) if name == login));
}
