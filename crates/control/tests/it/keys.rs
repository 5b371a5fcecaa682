//! API keys.

use control::{ApiKey, Error, NewKey, Standing};

use crate::world::{World, fields};

fn key(label: &str, role: &str, expires_at: Option<&str>) -> NewKey {
    NewKey { label: label.to_owned(), role: role.to_owned(), expires_at: expires_at.map(str::to_owned) }
}

#[tokio::test]
async fn a_key_acts_with_its_role_until_it_is_revoked() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    world.minutes(1);
    let minted = world.control.create_key(&owner, &key("export", "viewer", None)).await.unwrap();
    assert_eq!(minted.key.state, Standing::Active);
    assert!(minted.key.hint.starts_with("tg_key_…") && minted.key.created_by == "owner@acme.example");

    let actor = world.control.authenticate(minted.token.expose()).await.unwrap();
    assert_eq!((actor.tenant(), actor.role()), (owner.tenant(), domain::Role::Viewer));
    assert_eq!(actor.label(), "API key export");
    let used = world.control.key(&owner, minted.key.id).await.unwrap();
    assert_eq!(used.last_used_at, Some(world.clock.now()));

    world.minutes(1);
    let revoked = world.control.revoke_key(&owner, minted.key.id).await.unwrap();
    assert_eq!(revoked.state, Standing::Revoked);
    let refused = world.control.authenticate(minted.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    let again = world.control.revoke_key(&owner, minted.key.id).await.unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);
    let log = world.control.admin_log(&owner, None, 10).await.unwrap();
    let actions: Vec<_> = log.events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["key.revoke", "key.create", "organisation.create"]);
}

#[tokio::test]
async fn a_key_ends_when_its_day_is_over() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let minted = world.control.create_key(&owner, &key("k", "viewer", Some("2026-10-01"))).await.unwrap();
    world.minutes(12 * 60 - 1);
    world.control.authenticate(minted.token.expose()).await.unwrap();
    world.minutes(1);
    let refused = world.control.authenticate(minted.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    let keys = world.control.keys(&owner).await.unwrap();
    assert_eq!(keys.iter().map(|key: &ApiKey| key.state).collect::<Vec<_>>(), [Standing::Expired]);
}

#[tokio::test]
async fn no_key_is_above_its_maker() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let admin = world.with_role(&owner, "admin").await;
    assert_eq!(fields(world.control.create_key(&admin, &key("k", "owner", None)).await), ["/role"]);
    world.control.create_key(&admin, &key("k", "admin", None)).await.unwrap();
}

#[tokio::test]
async fn all_fields_that_are_wrong_are_named() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let refused = world.control.create_key(&owner, &key("", "root", Some("yesterday"))).await;
    assert_eq!(fields(refused), ["/label", "/role", "/expires_at"]);
    assert!(world.control.keys(&owner).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let grant = world.grant(&owner, server.id).await;
    let session = world.sign_up("eve@example.com", "Eve").await;
    for token in ["", "tg_key_", "Bearer x", grant.token.expose(), session.token.expose()] {
        let refused = world.control.authenticate(token).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)));
    }
}
