//! Two tenants, each with a row in every table.

use chrono::{DateTime, Duration, Utc};
use domain::{ApiKeyId, GrantId, PolicyId, Role, ServerId, TenantId, UserId};
use storage::directory::SealedHeader;
use storage::{
    AdminEventRow, AuthorizationRow, NewConnectLinkRow, NewConnectionRow, NewGrantRow, NewKeyRow,
    NewServerRow, NewVersionRow, Sighting, Storage, TenantTx, TokenRow, ToolDefinition, UpstreamClientRow,
};
use testkit::TestDb;
use uuid::Uuid;

pub const DOCUMENT: &str = r#"{ "version": "1", "default": "allow" }"#;

/// What a tenant has, all of it named by `n`.
pub struct Tenant {
    pub id: TenantId,
    pub user: UserId,
    pub key: ApiKeyId,
    pub server: ServerId,
    pub policy: PolicyId,
    pub grant: GrantId,
    pub token_hash: [u8; 32],
}

pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

/// An id that says what it is of: the tenant's number and the thing's.
pub fn id<T: From<Uuid>>(n: u8, thing: u8) -> T {
    Uuid::from_bytes([n, thing, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]).into()
}

pub async fn two_tenants() -> (TestDb, Tenant, Tenant) {
    let db = testkit::database().await;
    let one = tenant(&db.storage, 1).await;
    let two = tenant(&db.storage, 2).await;
    (db, one, two)
}

pub async fn tenant(storage: &Storage, n: u8) -> Tenant {
    let tenant = Tenant {
        id: id(n, 1),
        user: id(n, 2),
        key: id(n, 3),
        server: id(n, 4),
        policy: id(n, 5),
        grant: id(n, 6),
        token_hash: [n; 32],
    };
    let mut tx = storage.system().await.unwrap();
    let email = format!("user{n}@example.com").parse().unwrap();
    tx.insert_user(tenant.user, &email, "hash", now()).await.unwrap();
    let (slug, name) = (format!("tenant-{n}").parse().unwrap(), format!("Tenant {n}").parse().unwrap());
    assert!(tx.insert_tenant(tenant.id, &slug, &name, now()).await.unwrap());
    tx.insert_membership(tenant.id, tenant.user, Role::Owner, now()).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = storage.change(tenant.id).await.unwrap();
    let label = "label".parse().unwrap();
    tx.insert_key(&NewKeyRow {
        id: tenant.key,
        label: &label,
        role: Role::Viewer,
        token_hash: [n + 100; 32],
        hint: "tg_key_…",
        created_by: "test",
        created_at: now(),
        expires_at: None,
    })
    .await
    .unwrap();
    let url = "https://mcp.example.com/mcp".parse().unwrap();
    let sighting = Sighting {
        state: "ready",
        message: "ready",
        protocol_version: Some("2025-11-25"),
        upstream_name: None,
        at: now(),
    };
    tx.insert_server(&NewServerRow {
        id: tenant.server,
        name: &label,
        upstream_url: &url,
        catalogue_entry: None,
        sighting,
        created_at: now(),
    })
    .await
    .unwrap();
    tx.upsert_tools(tenant.server, &[tool("b_tool", 1), tool("a_tool", 2)], now()).await.unwrap();
    let header = SealedHeader { name: "x-api-key".to_owned(), sealed: vec![n] };
    tx.insert_credential(tenant.server, &header, now()).await.unwrap();
    tx.insert_policy(tenant.policy, tenant.server, &label, now()).await.unwrap();
    tx.insert_version(&version(&tenant, 1)).await.unwrap();
    let token =
        TokenRow { hash: tenant.token_hash, sealed: b"sealed".to_vec(), hint: "tg_grant_…".to_owned() };
    tx.insert_grant(&NewGrantRow {
        id: tenant.grant,
        server: tenant.server,
        policy: Some(tenant.policy),
        label: &label,
        identity: &"ada@example.com".parse().unwrap(),
        token: &token,
        created_by: "test",
        created_at: now(),
        expires_at: None,
    })
    .await
    .unwrap();
    connect(&mut tx, &tenant, n).await;
    tx.insert_event(&event(n)).await.unwrap();
    assert_eq!(tx.raise_epoch().await.unwrap(), 2);
    tx.commit().await.unwrap();
    tenant
}

/// Everything of logging in to the server, for an identity that has no grant.
async fn connect(tx: &mut TenantTx, tenant: &Tenant, n: u8) {
    let client = UpstreamClientRow {
        issuer: "https://as.example".to_owned(),
        client_id: "client".to_owned(),
        sealed_secret: None,
        auth: "none".to_owned(),
        public_key: None,
        by_hand: false,
        redirect_uri: "https://tollgate.example/oauth/callback".to_owned(),
        created_at: now(),
    };
    tx.upsert_upstream_client(tenant.server, &client).await.unwrap();
    tx.insert_connection(&NewConnectionRow {
        id: id(n, 8),
        server: tenant.server,
        identity: "nobody@example.com",
        issuer: &client.issuer,
        resource: "https://mcp.example.com/mcp",
        scopes: "",
        sealed: &[n],
        expires_at: None,
        renewable: false,
        connected_by: "test",
        at: now(),
    })
    .await
    .unwrap();
    let link = id(n, 9);
    tx.insert_connect_link(&NewConnectLinkRow {
        id: link,
        server: tenant.server,
        identity: "nobody@example.com",
        token_hash: [n + 50; 32],
        created_by: "test",
        created_at: now(),
        expires_at: now() + Duration::days(7),
    })
    .await
    .unwrap();
    let asked = AuthorizationRow {
        tenant: tenant.id,
        server: tenant.server,
        identity: "nobody@example.com".to_owned(),
        browser: [n; 32],
        user: None,
        link: Some(link),
        sealed: vec![n],
        expires_at: now() + Duration::minutes(10),
    };
    tx.insert_authorization(&[n + 10; 32], &asked).await.unwrap();
}

pub fn version(tenant: &Tenant, number: u32) -> NewVersionRow<'static> {
    NewVersionRow {
        policy: tenant.policy,
        version: number,
        document: DOCUMENT,
        added: 1,
        removed: 0,
        saved_by: "test",
        saved_at: now(),
    }
}

pub fn event(n: u8) -> AdminEventRow {
    AdminEventRow {
        id: id(n, 7),
        at: now(),
        actor_kind: "user".to_owned(),
        actor_id: id(n, 2),
        actor_label: "test".to_owned(),
        action: "server.register".to_owned(),
        subject_id: id(n, 4),
        subject_label: "label".to_owned(),
        details: serde_json::json!({}),
    }
}

pub fn tool(name: &str, digest: u8) -> ToolDefinition {
    ToolDefinition {
        name: name.to_owned(),
        title: None,
        description: Some(format!("does {name}")),
        input_schema: serde_json::json!({ "type": "object" }),
        annotations: None,
        more: None,
        digest: [digest; 32],
    }
}
