//! Grants: minted, replaced, shown again, taken back; and what the gateway sees of each.

use control::{Conflict, Error, MintedGrant, NewGrant, Standing};
use domain::PolicyId;
use storage::directory::GrantView;
use vault::{Token, TokenKind};

use crate::world::{PASSWORD, World, fields, secret};

/// What the gateway finds for this token.
async fn view(world: &World, minted: &MintedGrant) -> Option<GrantView> {
    let token = Token::parse(TokenKind::Grant, minted.token.expose()).unwrap();
    world.db.storage.system().await.unwrap().grant_view(&token.hash()).await.unwrap()
}

fn new(policy: Option<PolicyId>, expires_at: Option<&str>) -> NewGrant {
    NewGrant {
        label: "CI bot".to_owned(),
        identity: "ada@example.com".to_owned(),
        policy_id: policy.map(|id| id.to_string()),
        expires_at: expires_at.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_only_its_hash_is_looked_up() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "Flow Forge").await;
    let policy = world.policy(&owner, server.id, "p").await.summary.id;
    let minted = world.control.mint_grant(&owner, server.id, &new(Some(policy), None)).await.unwrap();
    let token = minted.token.expose();
    assert!(token.starts_with("tg_grant_") && minted.grant.hint.starts_with("tg_grant_…"));
    assert_eq!(minted.grant.policy.as_ref().unwrap().name, "p");
    assert_eq!((minted.grant.state, minted.grant.last_used_at), (Standing::Active, None));
    assert_eq!(minted.clients.len(), 12);
    assert!(minted.clients.iter().all(|client| client.text.contains(token)));
    assert!(minted.clients[1].text.contains(&format!("https://tollgate.example/mcp/{}", server.id)));

    let view = view(&world, &minted).await.unwrap();
    assert_eq!(
        (view.grant, view.server, view.identity.as_str()),
        (minted.grant.id, server.id, "ada@example.com")
    );
    assert_eq!(view.policy.unwrap().id, policy);
    let stored: String =
        sqlx::query_scalar("SELECT row_to_json(g)::text || encode(g.sealed_token, 'escape') FROM grants g")
            .fetch_one(&mut world.db.owner().await)
            .await
            .unwrap();
    assert!(!stored.contains(token));
}

#[tokio::test]
async fn a_replaced_token_is_gone_at_once() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let old = world.grant(&owner, server.id).await;
    world.minutes(1);
    let new = world.control.rotate_grant(&owner, old.grant.id).await.unwrap();
    assert_ne!(old.token.expose(), new.token.expose());
    assert_eq!(new.grant.id, old.grant.id);
    assert!(new.grant.rotated_at.is_some());
    assert!(view(&world, &old).await.is_none());
    assert!(view(&world, &new).await.is_some());
    assert_eq!(world.last_action(&owner).await, "grant.rotate");
}

#[tokio::test]
async fn a_token_is_shown_again_to_a_person_with_their_password() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let minted = world.grant(&owner, server.id).await;
    let id = minted.grant.id;
    world.minutes(1);
    let shown = world.control.reveal_grant(&owner, id, &secret(PASSWORD)).await.unwrap();
    assert_eq!(shown.token.expose(), minted.token.expose());
    assert_eq!(world.last_action(&owner).await, "grant.reveal");

    let key = world.with_role(&owner, "owner").await;
    let refused = world.control.reveal_grant(&key, id, &secret(PASSWORD)).await;
    assert!(matches!(refused, Err(Error::PeopleOnly)));

    for _ in 0..5 {
        let refused = world.control.reveal_grant(&owner, id, &secret("a wrong one")).await;
        assert_eq!(fields(refused), ["/password"]);
    }
    let stopped = world.control.reveal_grant(&owner, id, &secret(PASSWORD)).await;
    assert!(matches!(stopped, Err(Error::TooManyAttempts { .. })));
    world.minutes(15);
    world.control.reveal_grant(&owner, id, &secret(PASSWORD)).await.unwrap();
}

#[tokio::test]
async fn a_revoked_grant_stays_revoked() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let policy = world.policy(&owner, server.id, "p").await.summary.id;
    let minted = world.grant(&owner, server.id).await;
    let id = minted.grant.id;
    let revoked = world.control.revoke_grant(&owner, id).await.unwrap();
    assert_eq!((revoked.state, revoked.revoked_at), (Standing::Revoked, Some(world.clock.now())));
    assert!(view(&world, &minted).await.unwrap().revoked_at.is_some());
    world.minutes(1);
    let again = world.control.revoke_grant(&owner, id).await.unwrap();
    assert_eq!(again.revoked_at, revoked.revoked_at);

    let conflicts = [
        world.control.rotate_grant(&owner, id).await.map(drop),
        world.control.reveal_grant(&owner, id, &secret(PASSWORD)).await.map(drop),
        world.control.attach_policy(&owner, id, Some(policy)).await.map(drop),
        world.control.set_grant_expiry(&owner, id, None).await.map(drop),
    ];
    for refused in conflicts {
        assert!(matches!(refused, Err(Error::Conflict(Conflict::Revoked))), "{refused:?}");
    }
    let log = world.control.admin_log(&owner, None, 50).await.unwrap();
    assert_eq!(log.events.iter().filter(|event| event.action == "grant.revoke").count(), 1);
}

#[tokio::test]
async fn a_policy_is_of_the_grants_own_server() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let (one, two) = (world.server(&owner, "one").await, world.server(&owner, "two").await);
    let (own, other) = (world.policy(&owner, one.id, "p").await, world.policy(&owner, two.id, "p").await);
    let id = world.grant(&owner, one.id).await.grant.id;
    let attached = world.control.attach_policy(&owner, id, Some(own.summary.id)).await.unwrap();
    assert_eq!(attached.policy.unwrap().id, own.summary.id);
    let refused = world.control.attach_policy(&owner, id, Some(other.summary.id)).await;
    assert_eq!(fields(refused), ["/policy_id"]);
    let refused = world.control.mint_grant(&owner, one.id, &new(Some(other.summary.id), None)).await;
    assert_eq!(fields(refused), ["/policy_id"]);
    assert_eq!(world.control.grant(&owner, id).await.unwrap().policy.unwrap().id, own.summary.id);
    assert!(world.control.attach_policy(&owner, id, None).await.unwrap().policy.is_none());
    assert_eq!(world.control.grants(&owner, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_grant_ends_when_its_time_comes_and_can_be_given_more() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let input = new(None, Some("2026-10-01T13:00:00Z"));
    let id = world.control.mint_grant(&owner, server.id, &input).await.unwrap().grant.id;
    world.minutes(60);
    assert_eq!(world.control.grant(&owner, id).await.unwrap().state, Standing::Expired);
    assert_eq!(fields(world.control.set_grant_expiry(&owner, id, Some("2026-09-30")).await), ["/expires_at"]);
    let more = world.control.set_grant_expiry(&owner, id, Some("2026-12-31")).await.unwrap();
    assert_eq!((more.state, more.expires_at), (Standing::Active, "2027-01-01T00:00:00Z".parse().ok()));
    assert_eq!(world.control.set_grant_expiry(&owner, id, None).await.unwrap().expires_at, None);
}

#[tokio::test]
async fn all_fields_that_are_wrong_are_named() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let input = NewGrant {
        label: "a\u{202e}b".to_owned(),
        identity: String::new(),
        policy_id: Some("p".to_owned()),
        expires_at: Some("soon".to_owned()),
    };
    let refused = world.control.mint_grant(&owner, server.id, &input).await;
    assert_eq!(fields(refused), ["/label", "/identity", "/policy_id", "/expires_at"]);
    assert!(world.control.grants(&owner, Some(server.id)).await.unwrap().is_empty());
}

#[tokio::test]
async fn those_that_work_are_listed_first() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.grant(&owner, server.id).await.grant.id);
        world.minutes(1);
    }
    world.control.revoke_grant(&owner, ids[2]).await.unwrap();
    let listed: Vec<_> =
        world.control.grants(&owner, Some(server.id)).await.unwrap().iter().map(|grant| grant.id).collect();
    assert_eq!(listed, [ids[1], ids[0], ids[2]]);
}
