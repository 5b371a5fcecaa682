//! Another tenant's rows: invisible and unwritable, whatever the statement forgets to ask for.

use sqlx::{AssertSqlSafe, Row};
use storage::{Constraint, Error};

use crate::fixture::{DOCUMENT, event, id, now, tool, two_tenants, version};

const TENANT_TABLES: [&str; 13] = [
    "memberships",
    "api_keys",
    "servers",
    "server_tools",
    "sealed_credentials",
    "upstream_clients",
    "connections",
    "connect_links",
    "authorizations",
    "policies",
    "policy_versions",
    "grants",
    "admin_events",
];

#[tokio::test]
async fn a_statement_that_names_no_tenant_sees_its_own() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    for table in TENANT_TABLES {
        let rows = sqlx::query(AssertSqlSafe(format!("SELECT DISTINCT tenant_id FROM {table}")))
            .fetch_all(tx.connection())
            .await
            .unwrap();
        let seen: Vec<uuid::Uuid> = rows.iter().map(|row| row.get(0)).collect();
        assert_eq!(seen, [one.id.uuid()], "{table}");
    }
    let rows = sqlx::query("SELECT id FROM tenants").fetch_all(tx.connection()).await.unwrap();
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_statement_that_names_no_tenant_writes_to_its_own() {
    let (db, one, two) = two_tenants().await;
    for statement in [
        "UPDATE servers SET name = 'taken over'",
        "UPDATE grants SET revoked_at = now()",
        "UPDATE policies SET name = 'taken over'",
        "UPDATE api_keys SET revoked_at = now()",
        "DELETE FROM grants",
        "DELETE FROM servers",
    ] {
        let mut tx = db.storage.tenant(one.id).await.unwrap();
        let done = sqlx::query(statement).execute(tx.connection()).await;
        // Deleting grants is not for this role at all.
        if statement.ends_with("grants") {
            assert!(done.is_err());
            continue;
        }
        assert_eq!(done.unwrap().rows_affected(), 1, "{statement}");
        tx.commit().await.unwrap();
    }
    let mut tx = db.storage.tenant(two.id).await.unwrap();
    assert_eq!(tx.servers(None, now()).await.unwrap()[0].name, "label");
    assert!(tx.grants(None, None, now()).await.unwrap()[0].revoked_at.is_none());
    assert!(tx.keys(None).await.unwrap()[0].revoked_at.is_none());
}

#[tokio::test]
async fn a_row_of_another_tenant_can_not_be_written() {
    let (db, one, two) = two_tenants().await;
    let foreign = format!("'{}'", two.id);
    for statement in [
        "INSERT INTO policy_versions SELECT $T, policy_id, 9, document, 1, 0, created_by, created_at FROM policy_versions",
        "INSERT INTO admin_events SELECT $T, id, at, actor_kind, actor_id, actor_label, action, subject_id,
             subject_label, details FROM admin_events",
        "INSERT INTO sealed_credentials SELECT $T, server_id, 'authorization', sealed, created_at FROM sealed_credentials",
        "UPDATE servers SET tenant_id = $T",
    ] {
        let mut tx = db.storage.tenant(one.id).await.unwrap();
        let refused = sqlx::raw_sql(AssertSqlSafe(statement.replace("$T", &foreign)))
            .execute(tx.connection())
            .await
            .unwrap_err();
        let code = refused.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{statement}: {refused}");
    }
}

#[tokio::test]
async fn ids_of_another_tenant_are_as_good_as_none() {
    let (db, one, two) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.servers(Some(two.server), now()).await.unwrap().is_empty());
    assert!(tx.tools(two.server).await.unwrap().is_empty());
    assert!(tx.credentials(two.server).await.unwrap().is_empty());
    assert!(tx.policies(None, Some(two.policy), now()).await.unwrap().is_empty());
    assert!(tx.versions(two.policy).await.unwrap().is_empty());
    assert!(tx.document(two.policy, 1).await.unwrap().is_none());
    assert!(tx.grants(None, Some(two.grant), now()).await.unwrap().is_empty());
    assert!(tx.sealed_token(two.grant).await.unwrap().is_none());
    assert!(!tx.revoke_grant(two.grant, now()).await.unwrap());
    assert!(!tx.set_grant_expiry(two.grant, Some(now())).await.unwrap());
    assert!(!tx.attach_policy(two.grant, None).await.unwrap());
    assert!(!tx.advance_policy(two.policy, 1).await.unwrap());
    assert!(!tx.delete_policy(two.policy).await.unwrap());
    assert!(!tx.delete_server(two.server).await.unwrap());
    assert!(!tx.revoke_key(two.key, now()).await.unwrap());
}

#[tokio::test]
async fn nothing_of_one_tenant_can_refer_to_another() {
    let (db, one, two) = two_tenants().await;
    let cases: [(&str, Constraint); 3] = [
        ("policy", Constraint::ServerGone),
        ("tools", Constraint::ServerGone),
        ("attach", Constraint::GrantPolicy),
    ];
    for (case, expected) in cases {
        let mut tx = db.storage.change(one.id).await.unwrap();
        let refused = match case {
            "policy" => {
                tx.insert_policy(id(1, 50), two.server, &"other".parse().unwrap(), now()).await.unwrap_err()
            }
            "tools" => tx.upsert_tools(two.server, &[tool("x", 1)], now()).await.unwrap_err(),
            _ => tx.attach_policy(one.grant, Some(two.policy)).await.unwrap_err(),
        };
        assert!(matches!(&refused, Error::Constraint(found) if *found == expected), "{case}: {refused:?}");
    }
}

#[tokio::test]
async fn what_was_written_down_can_not_be_altered() {
    let (db, one, _) = two_tenants().await;
    for statement in [
        "UPDATE admin_events SET action = 'nothing'",
        "DELETE FROM admin_events",
        "UPDATE policy_versions SET document = '{}'",
        "DELETE FROM policy_versions",
        "UPDATE grants SET identity = 'somebody else'",
        "UPDATE memberships SET role = 'owner'",
        "UPDATE tenants SET slug = 'other'",
    ] {
        let mut tx = db.storage.tenant(one.id).await.unwrap();
        let refused = sqlx::query(statement).execute(tx.connection()).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
    }
}

#[tokio::test]
async fn the_system_reads_across_tenants_but_writes_only_what_it_must() {
    let (db, one, two) = two_tenants().await;
    let mut tx = db.storage.system().await.unwrap();
    assert_eq!(tx.tenant_of_server(one.server).await.unwrap(), Some(one.id));
    assert_eq!(tx.tenant_of_server(two.server).await.unwrap(), Some(two.id));
    drop(tx);
    for statement in [
        "UPDATE grants SET revoked_at = NULL",
        "UPDATE servers SET upstream_url = 'https://evil.example'",
        "UPDATE policies SET version = 1",
        "INSERT INTO policy_versions SELECT * FROM policy_versions",
        "SELECT FROM admin_events",
        "DELETE FROM tenants",
    ] {
        let mut tx = db.storage.system().await.unwrap();
        let refused = sqlx::query(statement).execute(tx.connection()).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501", "{statement}");
    }
}

#[tokio::test]
async fn deleting_a_server_takes_all_it_has_and_nothing_else() {
    let (db, one, two) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    tx.insert_version(&version(&one, 2)).await.unwrap();
    assert!(tx.advance_policy(one.policy, 1).await.unwrap());
    assert!(tx.delete_server(one.server).await.unwrap());
    tx.raise_epoch().await.unwrap();
    tx.commit().await.unwrap();

    let mut owner = db.owner().await;
    for table in ["servers", "server_tools", "sealed_credentials", "policies", "policy_versions", "grants"] {
        let left: Vec<uuid::Uuid> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT DISTINCT tenant_id FROM {table}")))
                .fetch_all(&mut owner)
                .await
                .unwrap();
        assert_eq!(left, [two.id.uuid()], "{table}");
    }
    let mut tx = db.storage.tenant(two.id).await.unwrap();
    assert_eq!(tx.document(two.policy, 1).await.unwrap().unwrap().document, DOCUMENT);
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    assert_eq!(tx.events(None, 10).await.unwrap().len(), 1);
    assert_eq!(tx.events(None, 10).await.unwrap()[0].id, event(1).id);
}
