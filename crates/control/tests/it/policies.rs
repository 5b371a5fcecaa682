//! Policies: versions, conflicts, history, and what a document would do.

use control::{Conflict, DiffKind, Effect, Error, NewPolicy, PolicyName, SavePolicy};
use domain::ServerId;

use crate::world::{ALLOW, DENY, World, fields};

fn save(expected_version: u32, document: &str) -> SavePolicy {
    SavePolicy { expected_version, document: document.to_owned() }
}

fn named(name: &str, document: &str) -> NewPolicy {
    NewPolicy { name: name.to_owned(), document: document.to_owned() }
}

#[tokio::test]
async fn every_save_is_a_version_that_can_be_read_again() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let first = "{\n  \"version\": \"1\",\n  \"default\": \"allow\"\n}\n";
    let made = world.control.create_policy(&owner, server.id, &named("Agents", first)).await.unwrap();
    assert_eq!((made.summary.version, made.shown_version), (1, 1));
    assert_eq!(made.document, first, "as it was written");
    assert_eq!(made.canonical.as_ref().unwrap()["default"], "allow");

    world.minutes(1);
    let second = first.replace("allow", "deny").replace("\n}", ",\n  \"hide\": [\"x\"]\n}");
    let id = made.summary.id;
    let saved = world.control.save_policy(&owner, id, &save(1, &second)).await.unwrap();
    assert_eq!((saved.summary.version, saved.document.as_str()), (2, second.as_str()));
    let old = world.control.policy(&owner, id, Some(1)).await.unwrap();
    assert_eq!((old.summary.version, old.shown_version, old.document.as_str()), (2, 1, first));

    let history = world.control.policy_history(&owner, id).await.unwrap();
    let seen: Vec<_> = history.iter().map(|entry| (entry.version, entry.added, entry.removed)).collect();
    assert_eq!(seen, [(2, 2, 1), (1, 4, 0)]);
    assert!(history.iter().all(|entry| entry.saved_by == "owner@acme.example"));
    assert!(history[0].saved_at > history[1].saved_at);

    let diff = world.control.policy_diff(&owner, id, 1, 2).await.unwrap();
    let removed: Vec<_> =
        diff.lines.iter().filter(|line| line.kind == DiffKind::Removed).map(|line| line.old).collect();
    assert_eq!(removed, [Some(3)]);
    assert!(matches!(world.control.policy_diff(&owner, id, 1, 3).await, Err(Error::NotFound)));
    assert!(matches!(world.control.policy(&owner, id, Some(0)).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_save_over_somebody_elses_is_a_conflict() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let id = world.policy(&owner, server.id, "p").await.summary.id;
    world.control.save_policy(&owner, id, &save(1, DENY)).await.unwrap();
    let refused = world.control.save_policy(&owner, id, &save(1, ALLOW)).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::Version { current: 2 }))));
    assert_eq!(world.control.policy(&owner, id, None).await.unwrap().document, DENY);
}

#[tokio::test]
async fn of_saves_at_once_one_wins_and_the_others_are_told() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let id = world.policy(&owner, server.id, "p").await.summary.id;
    let saves = (0..8).map(|n| {
        let (control, owner) = (world.control.clone(), owner.clone());
        let document = format!(r#"{{ "version": "1", "default": "deny", "description": "{n}" }}"#);
        tokio::spawn(async move { control.save_policy(&owner, id, &save(1, &document)).await })
    });
    let saves: Vec<_> = saves.collect();
    let mut won = 0;
    for one in saves {
        match one.await.unwrap() {
            Ok(policy) => {
                assert_eq!(policy.summary.version, 2);
                won += 1;
            }
            Err(Error::Conflict(Conflict::Version { current: 2 })) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(won, 1);
    assert_eq!(world.control.policy_history(&owner, id).await.unwrap().len(), 2);
}

#[tokio::test]
async fn saving_what_is_in_force_saves_nothing() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let id = world.policy(&owner, server.id, "p").await.summary.id;
    let same = world.control.save_policy(&owner, id, &save(1, ALLOW)).await.unwrap();
    assert_eq!(same.summary.version, 1);
    assert_eq!(world.last_action(&owner).await, "policy.create");
}

#[tokio::test]
async fn a_document_that_can_not_be_read_is_refused_at_its_lines() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let wrong =
        "{\n  \"version\": \"1\",\n  \"default\": \"maybe\",\n  \"tools\": { \"x\": { \"acton\": 1 } }\n}";
    let refused = world.control.create_policy(&owner, server.id, &named("p", wrong)).await;
    let Err(Error::InvalidPolicy(problems)) = refused else { panic!("{refused:?}") };
    let places: Vec<_> = problems.iter().map(|one| (one.pointer.as_str(), one.line)).collect();
    assert_eq!(places, [("/default", 3), ("/tools/x/acton", 4)]);
    assert!(world.control.policies(&owner, None).await.unwrap().is_empty());

    let id = world.policy(&owner, server.id, "p").await.summary.id;
    let refused = world.control.save_policy(&owner, id, &save(1, "")).await;
    assert!(matches!(refused, Err(Error::InvalidPolicy(_))));
    let check = world.control.check_policy(&owner, server.id, wrong).await.unwrap();
    assert_eq!(check.problems, problems);
    assert!(check.canonical.is_none() && check.effects.is_empty());
}

#[tokio::test]
async fn names_are_unique_on_a_server() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let (one, two) = (world.server(&owner, "one").await, world.server(&owner, "two").await);
    let first = world.policy(&owner, one.id, "p").await;
    world.policy(&owner, two.id, "p").await;
    let second = world.policy(&owner, one.id, "q").await;
    assert_eq!(fields(world.control.create_policy(&owner, one.id, &named("p", ALLOW)).await), ["/name"]);
    assert_eq!(fields(world.control.create_policy(&owner, one.id, &named("", ALLOW)).await), ["/name"]);
    let rename = |name: &str| PolicyName { name: name.to_owned() };
    assert_eq!(fields(world.control.rename_policy(&owner, second.summary.id, &rename("p")).await), ["/name"]);
    let renamed = world.control.rename_policy(&owner, second.summary.id, &rename("r")).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.version), ("r", 1));
    let names = |server: Option<ServerId>| {
        let (control, owner) = (world.control.clone(), owner.clone());
        async move {
            let policies = control.policies(&owner, server).await.unwrap();
            policies.into_iter().map(|policy| policy.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names(Some(one.id)).await, ["p", "r"]);
    assert_eq!(names(None).await.len(), 3);
    assert_eq!(first.summary.server_id, one.id);
}

#[tokio::test]
async fn a_policy_in_use_is_not_deleted_but_one_of_ended_grants_is() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let id = world.policy(&owner, server.id, "p").await.summary.id;
    let grant = world.grant(&owner, server.id).await.grant;
    let ending = world.grant(&owner, server.id).await.grant;
    for grant in [&grant, &ending] {
        world.control.attach_policy(&owner, grant.id, Some(id)).await.unwrap();
    }
    world.control.set_grant_expiry(&owner, ending.id, Some("2026-10-01T12:05:00Z")).await.unwrap();
    world.minutes(5);
    let refused = world.control.delete_policy(&owner, id).await;
    assert!(matches!(refused, Err(Error::Conflict(Conflict::PolicyInUse { grants: 1 }))));
    world.control.revoke_grant(&owner, grant.id).await.unwrap();
    world.minutes(1);
    world.control.delete_policy(&owner, id).await.unwrap();
    assert!(matches!(world.control.policy(&owner, id, None).await, Err(Error::NotFound)));
    assert!(world.control.grant(&owner, grant.id).await.unwrap().policy.is_none());
    assert_eq!(world.count("SELECT count(*) FROM policy_versions").await, 0);
    assert_eq!(world.last_action(&owner).await, "policy.delete");
}

#[tokio::test]
async fn a_stored_text_that_can_not_be_read_any_more_is_shown_as_text() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let id = world.policy(&owner, server.id, "p").await.summary.id;
    sqlx::query("UPDATE policy_versions SET document = '{'")
        .execute(&mut world.db.owner().await)
        .await
        .unwrap();
    let policy = world.control.policy(&owner, id, None).await.unwrap();
    assert!(policy.canonical.is_none() && policy.document == "{");
}

#[tokio::test]
async fn a_document_is_tried_on_the_tools() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    world.tools(&owner, server.id, &["get_run", "delete_run"]).await;

    let proposal = world.control.propose_policy(&owner, server.id).await.unwrap();
    let check = world.control.check_policy(&owner, server.id, &proposal).await.unwrap();
    assert_eq!(check.problems, []);
    assert_eq!(check.warnings, []);
    let effects: Vec<_> = check.effects.iter().map(|one| (one.tool.as_str(), one.effect)).collect();
    assert_eq!(effects, [("get_run", Effect::Allow), ("delete_run", Effect::Hide)]);
}
