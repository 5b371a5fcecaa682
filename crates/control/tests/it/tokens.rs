//! Access tokens: a quarter of an hour of their maker's rights, and never more than those.

use control::{Error, NewKey};
use domain::Role;

use crate::world::World;

#[tokio::test]
async fn a_token_stands_for_its_maker_for_a_quarter_of_an_hour() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let token = world.control.issue_access_token(&owner).unwrap();
    let actor = world.control.authenticate(token.token.expose()).await.unwrap();
    assert_eq!((actor.tenant(), actor.role()), (owner.tenant(), Role::Owner));
    assert_eq!(actor.label(), "owner@acme.example");
    world.minutes(14);
    world.control.authenticate(token.token.expose()).await.unwrap();
    world.minutes(1);
    let refused = world.control.authenticate(token.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_token_ends_with_the_log_in_or_key_behind_it() {
    let world = World::new().await;
    let new = world.sign_up("ada@example.com", "Acme").await;
    let owner = world.session(&new).await.unwrap().actor("acme").unwrap();
    let of_person = world.control.issue_access_token(&owner).unwrap();

    let input = NewKey { label: "k".to_owned(), role: "editor".to_owned(), expires_at: None };
    let key = world.control.create_key(&owner, &input).await.unwrap();
    let editor = world.control.authenticate(key.token.expose()).await.unwrap();
    let of_key = world.control.issue_access_token(&editor).unwrap();
    let actor = world.control.authenticate(of_key.token.expose()).await.unwrap();
    assert_eq!((actor.role(), actor.label().as_str()), (Role::Editor, "API key k"));

    world.control.revoke_key(&owner, key.key.id).await.unwrap();
    let refused = world.control.authenticate(of_key.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
    world.control.log_out(new.token.expose()).await.unwrap();
    let refused = world.control.authenticate(of_person.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_token_says_no_more_than_its_maker_may_now() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let token = world.control.issue_access_token(&owner).unwrap();
    sqlx::query("UPDATE memberships SET role = 'viewer'").execute(&mut world.db.owner().await).await.unwrap();
    let actor = world.control.authenticate(token.token.expose()).await.unwrap();
    assert_eq!(actor.role(), Role::Viewer);
    sqlx::query("DELETE FROM memberships").execute(&mut world.db.owner().await).await.unwrap();
    let refused = world.control.authenticate(token.token.expose()).await;
    assert!(matches!(refused, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn the_key_set_holds_public_keys_only() {
    let world = World::new().await;
    let set = world.control.jwks().unwrap();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!((keys[0]["kty"].as_str(), keys[0]["crv"].as_str()), (Some("OKP"), Some("Ed25519")));
    assert!(keys[0].get("d").is_none() && keys[0].get("x").is_some());
}
