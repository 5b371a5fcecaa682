//! The application's login role: it skips nothing and may do nothing outside of the two kinds of transaction.

use sqlx::{Connection, PgConnection, Row};
use storage::NotReady;

#[tokio::test]
async fn neither_the_login_nor_its_roles_skip_row_level_security() {
    let db = testkit::database().await;
    let mut login = PgConnection::connect(&db.url).await.unwrap();
    let roles = sqlx::query(
        "SELECT rolname::text, rolsuper, rolbypassrls, rolcreaterole, rolinherit FROM pg_roles
         WHERE rolname IN (session_user, 'tollgate_app', 'tollgate_system')",
    )
    .fetch_all(&mut login)
    .await
    .unwrap();
    assert_eq!(roles.len(), 3);
    for role in roles {
        let name: String = role.get(0);
        assert!(!role.get::<bool, _>(1), "{name} is a superuser");
        assert!(!role.get::<bool, _>(2), "{name} has BYPASSRLS");
        assert!(!role.get::<bool, _>(3), "{name} may create roles");
        assert!(name.starts_with("tollgate_app") || name == "tollgate_system" || !role.get::<bool, _>(4));
    }
}

#[tokio::test]
async fn the_login_sees_nothing_without_a_role() {
    let db = testkit::database().await;
    let mut login = PgConnection::connect(&db.url).await.unwrap();
    for table in ["users", "sessions", "tenants", "servers", "grants", "sealed_credentials", "admin_events"] {
        let refused = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("SELECT FROM {table}")))
            .execute(&mut login)
            .await
            .unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{table}");
    }
}

#[tokio::test]
async fn the_role_ends_with_the_transaction() {
    let db = testkit::database().await;
    let storage = storage::Storage::connect(&storage::StorageConfig {
        max_connections: 1,
        acquire_timeout: std::time::Duration::from_secs(10),
        ..storage::StorageConfig::new(db.url.clone())
    })
    .unwrap();
    let tx = storage.tenant(crate::fixture::id(1, 1)).await.unwrap();
    tx.commit().await.unwrap();
    // The same connection again: nothing of the tenant is left on it.
    let mut tx = storage.system().await.unwrap();
    let row = sqlx::query("SELECT current_user::text, coalesce(current_setting('app.tenant_id', true), '')")
        .fetch_one(tx.connection())
        .await
        .unwrap();
    assert_eq!((row.get::<&str, _>(0), row.get::<&str, _>(1)), ("tollgate_system", ""));
}

#[tokio::test]
async fn a_migrated_database_is_ready_for_its_login_and_not_for_a_superuser() {
    let db = testkit::database().await;
    db.storage.ready().await.unwrap();

    let owner = storage::Storage::connect(&storage::StorageConfig {
        max_connections: 1,
        acquire_timeout: std::time::Duration::from_secs(10),
        ..storage::StorageConfig::new(db.owner_url.clone())
    })
    .unwrap();
    assert!(matches!(owner.ready().await, Err(NotReady::Privileged(_))));

    // One in the middle: the last says nothing of those before it.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 9")
        .execute(&mut db.owner().await)
        .await
        .unwrap();
    assert!(matches!(db.storage.ready().await, Err(NotReady::Behind { missing: 9 })));
}
