//! Organisations: another one, another name.

use control::{Error, OrganisationName};

use crate::world::{World, fields};

fn named(name: &str) -> OrganisationName {
    OrganisationName { name: name.to_owned() }
}

#[tokio::test]
async fn a_person_can_own_several() {
    let world = World::new().await;
    let new = world.sign_up("ada@example.com", "Acme").await;
    let session = world.session(&new).await.unwrap();
    let slug = world.control.create_organisation(&session, &named("Other Inc.")).await.unwrap();
    assert_eq!(slug.as_str(), "other-inc");
    let session = world.session(&new).await.unwrap();
    let slugs: Vec<_> = session.organisations.iter().map(|one| one.slug.as_str()).collect();
    assert_eq!(slugs, ["acme", "other-inc"]);
    let actor = session.actor("other-inc").unwrap();
    assert_eq!(world.last_action(&actor).await, "organisation.create");
    assert_eq!(fields(world.control.create_organisation(&session, &named(" ")).await), ["/name"]);
}

#[tokio::test]
async fn renaming_keeps_the_address_and_is_written_down() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    world.minutes(1);
    let renamed = world.control.rename_organisation(&owner, &named("Acme Ltd")).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.slug.as_str()), ("Acme Ltd", "acme"));
    let event = world.control.admin_log(&owner, None, 1).await.unwrap().events.remove(0);
    assert_eq!((event.action.as_str(), event.subject.as_str()), ("organisation.rename", "Acme Ltd"));
    assert_eq!(event.details["before"], "acme");
    let admin = world.with_role(&owner, "admin").await;
    let refused = world.control.rename_organisation(&admin, &named("x")).await;
    assert!(matches!(refused, Err(Error::Forbidden { .. })));
}

#[tokio::test]
async fn the_overview_counts_what_works() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    world.policy(&owner, server.id, "p").await;
    let grant = world.grant(&owner, server.id).await;
    world.grant(&owner, server.id).await;
    world.control.revoke_grant(&owner, grant.grant.id).await.unwrap();
    let organisation = world.control.organisation(&owner).await.unwrap();
    assert_eq!((organisation.servers, organisation.policies, organisation.grants), (1, 1, 1));
}
