//! What the catalogue of Postgres says of our tables, so that a later migration can't forget it.

use sqlx::Row;

/// Tables that belong to no tenant. Whoever adds one here says why in its migration.
const OF_NO_TENANT: [&str; 4] = ["_sqlx_migrations", "attempts", "sessions", "users"];

#[tokio::test]
async fn every_tenant_table_has_forced_row_level_security() {
    let db = testkit::database().await;
    let tables = sqlx::query(
        "SELECT c.relname::text, c.relrowsecurity, c.relforcerowsecurity,
             (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polroles @> ARRAY[
                 (SELECT oid FROM pg_roles WHERE rolname = 'tollgate_app')])
         FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         ORDER BY 1",
    )
    .fetch_all(&mut db.owner().await)
    .await
    .unwrap();
    let mut checked = 0;
    for table in tables {
        let name: String = table.get(0);
        if OF_NO_TENANT.contains(&name.as_str()) {
            continue;
        }
        assert!(table.get::<bool, _>(1), "{name} has no row level security");
        assert!(table.get::<bool, _>(2), "row level security of {name} is not forced");
        assert!(table.get::<i64, _>(3) > 0, "{name} has no policy for the tenant role");
        checked += 1;
    }
    assert!(checked >= 10, "only {checked} tenant tables were found");
}

#[tokio::test]
async fn every_policy_of_the_tenant_role_asks_for_the_tenant() {
    let db = testkit::database().await;
    let policies = sqlx::query(
        "SELECT tablename::text, qual, with_check FROM pg_policies
         WHERE schemaname = 'public' AND roles && ARRAY['tollgate_app', 'public']::name[]",
    )
    .fetch_all(&mut db.owner().await)
    .await
    .unwrap();
    assert!(policies.len() >= 10);
    for policy in policies {
        let table: String = policy.get(0);
        let conditions = [policy.get::<Option<String>, _>(1), policy.get::<Option<String>, _>(2)];
        assert!(conditions.iter().any(Option::is_some), "{table} has a policy without a condition");
        for condition in conditions.into_iter().flatten() {
            assert!(condition.contains("= app_tenant_id()"), "{table}: {condition}");
        }
    }
}

#[tokio::test]
async fn primary_keys_lead_with_the_tenant() {
    let db = testkit::database().await;
    let keys = sqlx::query(
        "SELECT c.relname::text, a.attname::text
         FROM pg_class c
         LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition",
    )
    .fetch_all(&mut db.owner().await)
    .await
    .unwrap();
    for key in keys {
        let (table, first): (String, Option<String>) = (key.get(0), key.get(1));
        match table.as_str() {
            // The organisation itself: its id is the tenant's.
            "tenants" => assert_eq!(first.as_deref(), Some("id")),
            other if OF_NO_TENANT.contains(&other) => {}
            other => assert_eq!(first.as_deref(), Some("tenant_id"), "{other}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_granted_to_everybody() {
    let db = testkit::database().await;
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::text FROM information_schema.table_privileges
         WHERE table_schema = 'public' AND grantee = 'PUBLIC'",
    )
    .fetch_all(&mut db.owner().await)
    .await
    .unwrap();
    assert_eq!(open, Vec::<String>::new());
}
