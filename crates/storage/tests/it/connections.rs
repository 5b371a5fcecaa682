//! Connections to upstreams: who may renew one, and what the gateway reads of it.

use chrono::Duration;
use domain::ConnectionId;
use storage::directory::Login;
use storage::{AuthorizationRow, Error, NewConnectionRow, RenewedRow, Storage};

use crate::fixture::{Tenant, id, now, two_tenants};

/// Longer than a test.
const LEASE: i32 = 60;

fn row<'a>(tenant: &Tenant, id: ConnectionId, identity: &'a str, sealed: &'a [u8]) -> NewConnectionRow<'a> {
    NewConnectionRow {
        id,
        server: tenant.server,
        identity,
        issuer: "https://as.example",
        resource: "https://mcp.example.com/mcp",
        scopes: "a b",
        sealed,
        expires_at: Some(now() + Duration::hours(1)),
        renewable: true,
        connected_by: "test",
        at: now(),
    }
}

async fn connect(storage: &Storage, tenant: &Tenant, login: &str, connection: &NewConnectionRow<'_>) {
    let mut tx = storage.tenant(tenant.id).await.unwrap();
    assert!(tx.set_login(tenant.server, login).await.unwrap());
    tx.insert_connection(connection).await.unwrap();
    tx.commit().await.unwrap();
}

async fn login(storage: &Storage, tenant: &Tenant) -> Login {
    storage.system().await.unwrap().grant_view(&tenant.token_hash).await.unwrap().unwrap().login
}

#[tokio::test]
async fn a_grant_is_read_with_the_connection_that_its_server_asks_for() {
    let (db, one, _) = two_tenants().await;
    assert!(matches!(login(&db.storage, &one).await, Login::Headers));
    connect(&db.storage, &one, "shared", &row(&one, id(1, 20), "", b"all")).await;
    connect(&db.storage, &one, "shared", &row(&one, id(1, 21), "ada@example.com", b"ada")).await;
    let sealed = |login: Login| match login {
        Login::Connection(connection) => connection.sealed,
        other => panic!("{other:?}"),
    };
    assert_eq!(sealed(login(&db.storage, &one).await), b"all");
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    tx.set_login(one.server, "identity").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(sealed(login(&db.storage, &one).await), b"ada");

    // One that is made anew takes the place of the one before.
    connect(&db.storage, &one, "identity", &row(&one, id(1, 22), "ada@example.com", b"new")).await;
    assert_eq!(sealed(login(&db.storage, &one).await), b"new");
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    // Two of this test, one of the fixture.
    assert_eq!(tx.connections(one.server).await.unwrap().len(), 3);
    let only = [id(1, 22)];
    let ended = tx.delete_connections(one.server, Some(&only)).await.unwrap();
    assert_eq!((ended[0].identity.as_str(), ended[0].sealed.as_slice()), ("ada@example.com", &b"new"[..]));
    assert_eq!(ended.len(), 1);
    assert!(tx.delete_connections(one.server, Some(&only)).await.unwrap().is_empty());
    tx.commit().await.unwrap();
    assert!(matches!(login(&db.storage, &one).await, Login::Missing { personal: true }));
}

#[tokio::test]
async fn one_at_a_time_may_renew_and_only_the_version_that_it_saw() {
    let (db, one, two) = two_tenants().await;
    let connection: ConnectionId = id(1, 20);
    connect(&db.storage, &one, "shared", &row(&one, connection, "", b"first")).await;
    let take = async |seen, seconds| {
        let mut tx = db.storage.system().await.unwrap();
        let taken = tx.take_renewal(one.id, connection, seen, seconds).await.unwrap();
        tx.commit().await.unwrap();
        taken.is_some()
    };
    assert!(!take(2, LEASE).await, "a version that is not there");
    assert!(take(1, LEASE).await && !take(1, LEASE).await, "a second lease");

    let mut tx = db.storage.system().await.unwrap();
    let newer = RenewedRow { sealed: b"second", scopes: None, obtained_at: now(), expires_at: None };
    assert!(!tx.renew_connection(two.id, connection, 1, newer).await.unwrap(), "another tenant's");
    assert!(tx.renew_connection(one.id, connection, 1, newer).await.unwrap());
    assert!(!tx.renew_connection(one.id, connection, 1, newer).await.unwrap(), "a version that was replaced");
    let stored = tx.sealed_connection(one.id, connection).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.sealed.as_slice()), (2, &b"second"[..]));
    tx.commit().await.unwrap();

    // A lease that is over, or was given back, is free; what has ended is not renewed.
    assert!(!take(1, LEASE).await && take(2, -1).await && take(2, LEASE).await);
    let mut tx = db.storage.system().await.unwrap();
    tx.release_renewal(one.id, connection, 2).await.unwrap();
    tx.commit().await.unwrap();
    assert!(take(2, LEASE).await);
    let mut tx = db.storage.system().await.unwrap();
    tx.end_renewals(one.id, connection, 2, "it was revoked").await.unwrap();
    tx.commit().await.unwrap();
    assert!(!take(2, LEASE).await);
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    assert_eq!(tx.connections(one.server).await.unwrap()[0].trouble.as_deref(), Some("it was revoked"));
}

#[tokio::test]
async fn tokens_are_not_written_by_a_request_of_the_tenant() {
    let (db, one, _) = two_tenants().await;
    connect(&db.storage, &one, "shared", &row(&one, id(1, 20), "", b"sealed")).await;
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    let refused =
        sqlx::query("UPDATE connections SET sealed = 'x'").execute(tx.connection()).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "42501");
}

#[tokio::test]
async fn an_answer_is_taken_once_and_by_its_browser() {
    let (db, one, _) = two_tenants().await;
    let asked = AuthorizationRow {
        tenant: one.id,
        server: one.server,
        identity: String::new(),
        browser: [5; 32],
        user: Some(one.user),
        link: None,
        sealed: b"sealed".to_vec(),
        expires_at: now() + Duration::minutes(10),
    };
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    tx.insert_authorization(&[7; 32], &asked).await.unwrap();
    tx.commit().await.unwrap();
    let take = async |browser: [u8; 32]| {
        let mut tx = db.storage.system().await.unwrap();
        let taken = tx.take_authorization(&[7; 32], &browser).await.unwrap();
        tx.commit().await.unwrap();
        taken.is_some()
    };
    assert!(!take([6; 32]).await);
    assert!(take([5; 32]).await && !take([5; 32]).await);

    // Neither a person nor a link: nobody could be held to it.
    let mut tx = db.storage.tenant(one.id).await.unwrap();
    let nobody = AuthorizationRow { user: None, ..asked };
    assert!(matches!(tx.insert_authorization(&[8; 32], &nobody).await, Err(Error::Database(_))));
}
