//! What the gateway reads of a grant.

use crate::fixture::{DOCUMENT, now, two_tenants};

#[tokio::test]
async fn a_grant_is_read_with_all_that_judges_its_calls() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.system().await.unwrap();
    let view = tx.grant_view(&one.token_hash).await.unwrap().unwrap();
    assert_eq!((view.tenant, view.grant, view.server), (one.id, one.grant, one.server));
    assert_eq!(view.epoch, 2);
    assert_eq!((view.identity.as_str(), view.server_name.as_str()), ("ada@example.com", "label"));
    assert_eq!(view.upstream_url, "https://mcp.example.com/mcp");
    let policy = view.policy.unwrap();
    assert_eq!((policy.id, policy.version, policy.document.as_str()), (one.policy, 1, DOCUMENT));
    assert_eq!(view.headers.len(), 1);
    assert_eq!(
        (view.headers[0].name.as_str(), view.headers[0].sealed.as_slice()),
        ("x-api-key", &[1_u8][..])
    );
    let tools: Vec<_> = view.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(tools, ["a_tool", "b_tool"]);
    assert_eq!((view.expires_at, view.revoked_at), (None, None));
}

#[tokio::test]
async fn a_grant_without_policy_is_read_without() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.attach_policy(one.grant, None).await.unwrap());
    tx.raise_epoch().await.unwrap();
    tx.commit().await.unwrap();
    let view = db.storage.system().await.unwrap().grant_view(&one.token_hash).await.unwrap().unwrap();
    assert!(view.policy.is_none());
    assert_eq!(view.epoch, 3);
}

#[tokio::test]
async fn a_revoked_grant_is_read_as_revoked_and_an_unknown_token_as_nothing() {
    let (db, one, _) = two_tenants().await;
    let mut tx = db.storage.change(one.id).await.unwrap();
    assert!(tx.revoke_grant(one.grant, now()).await.unwrap());
    assert!(!tx.revoke_grant(one.grant, now()).await.unwrap());
    tx.raise_epoch().await.unwrap();
    tx.commit().await.unwrap();
    let mut tx = db.storage.system().await.unwrap();
    assert_eq!(tx.grant_view(&one.token_hash).await.unwrap().unwrap().revoked_at, Some(now()));
    assert!(tx.grant_view(&[9; 32]).await.unwrap().is_none());
}
