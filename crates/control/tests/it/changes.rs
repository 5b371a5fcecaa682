//! How a change reaches the next call: epoch raised, mark set and taken out, and what an outage in the middle leaves.

use std::time::Duration;

use control::{
    Actor, Error, NewPolicy, NewServer, OrganisationName, PolicyName, SavePolicy, ServerChange, Service,
};
use domain::{Clock, DecisionId, TenantId};
use ledger::{Ledger, LedgerConfig, Settle, Settled};
use sqlx::{Connection, PgConnection};
use testkit::{Wire, eventually, introduce};
use vault::Entropy;

use crate::world::{ALLOW, DENY, PASSWORD, World, fields, secret};

async fn epoch(world: &World, tenant: TenantId) -> u64 {
    let epoch: i64 = sqlx::query_scalar("SELECT config_epoch FROM tenants WHERE id = $1")
        .bind(tenant.uuid())
        .fetch_one(&mut world.db.owner().await)
        .await
        .unwrap();
    epoch.unsigned_abs()
}

/// A gateway's settle of a call that was judged at `epoch`.
async fn settle(ledger: &Ledger, tenant: TenantId, epoch: u64, stale: Option<&Settled>) -> Settled {
    let fresh = match stale {
        Some(Settled::Stale { now, .. }) => Some(*now),
        _ => None,
    };
    let decision: DecisionId = Entropy::System.id(Clock::System.now());
    let generation = *ledger.generation().borrow();
    let settle = Settle { tenant, decision, epoch, generation, fresh, charges: &[], record: b"{}" };
    ledger.settle(&settle).await.unwrap()
}

fn is_taken(settled: &Settled) -> bool {
    matches!(settled, Settled::Taken { .. })
}

fn is_stale(settled: &Settled) -> bool {
    matches!(settled, Settled::Stale { .. })
}

/// After each, a call judged before is stale and a call judged after goes through at once.
async fn published(world: &World, ledger: &Ledger, owner: &Actor, before: &mut u64, what: &str) {
    let tenant = owner.tenant();
    let now = epoch(world, tenant).await;
    assert_eq!(now, *before + 1, "{what} should raise the epoch by one");
    assert!(is_stale(&settle(ledger, tenant, *before, None).await), "{what}");
    assert!(is_taken(&settle(ledger, tenant, now, None).await), "{what}");
    *before = now;
}

#[tokio::test]
async fn every_change_of_what_judges_calls_is_known_to_the_next_one() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let ledger = world.redis.ledger(Clock::System).await;
    let control = &world.control;
    let mut at = epoch(&world, owner.tenant()).await;
    introduce(&ledger, owner.tenant(), at).await;

    let server = world.server(&owner, "one").await.id;
    published(&world, &ledger, &owner, &mut at, "register").await;
    let rename = ServerChange { name: Some("two".to_owned()), ..ServerChange::default() };
    control.update_server(&owner, server, &rename).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "update server").await;
    control.refresh_tools(&owner, server).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "refresh").await;
    let policy = world.policy(&owner, server, "p").await.summary.id;
    published(&world, &ledger, &owner, &mut at, "create policy").await;
    let save = SavePolicy { expected_version: 1, document: DENY.to_owned() };
    control.save_policy(&owner, policy, &save).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "save policy").await;
    control.rename_policy(&owner, policy, &PolicyName { name: "q".to_owned() }).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "rename policy").await;
    let grant = world.grant(&owner, server).await.grant.id;
    published(&world, &ledger, &owner, &mut at, "mint").await;
    control.attach_policy(&owner, grant, Some(policy)).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "attach").await;
    control.set_grant_expiry(&owner, grant, Some("2030-01-01")).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "expiry").await;
    control.rotate_grant(&owner, grant).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "rotate").await;
    control.revoke_grant(&owner, grant).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "revoke").await;
    control.delete_policy(&owner, policy).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "delete policy").await;
    control.delete_server(&owner, server).await.unwrap();
    published(&world, &ledger, &owner, &mut at, "delete server").await;
}

#[tokio::test]
async fn what_judges_no_call_disturbs_none() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await.id;
    let grant = world.grant(&owner, server).await.grant.id;
    let at = epoch(&world, owner.tenant()).await;
    world.with_role(&owner, "viewer").await;
    world.control.reveal_grant(&owner, grant, &secret(PASSWORD)).await.unwrap();
    let name = OrganisationName { name: "Acme Ltd".to_owned() };
    world.control.rename_organisation(&owner, &name).await.unwrap();
    assert_eq!(epoch(&world, owner.tenant()).await, at);
}

#[tokio::test]
async fn a_change_that_is_refused_halfway_leaves_nothing_and_takes_its_mark_out() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let ledger = world.redis.ledger(Clock::System).await;
    let server = world.server(&owner, "one").await;
    world.policy(&owner, server.id, "p").await;
    let at = epoch(&world, owner.tenant()).await;
    introduce(&ledger, owner.tenant(), at).await;
    let again = NewPolicy { name: "p".to_owned(), document: ALLOW.to_owned() };
    assert_eq!(fields(world.control.create_policy(&owner, server.id, &again).await), ["/name"]);
    assert_eq!(epoch(&world, owner.tenant()).await, at);
    assert_eq!(world.count("SELECT count(*) FROM policies").await, 1);
    assert_eq!(world.last_action(&owner).await, "policy.create");
    // Long before the mark would run out by itself.
    let in_time = tokio::time::timeout(
        Duration::from_secs(8),
        eventually("the mark is taken out", async || {
            is_taken(&settle(&ledger, owner.tenant(), at, None).await).then_some(())
        }),
    );
    in_time.await.unwrap();
}

/// A world whose control plane reaches Redis over a wire that can be cut, and a ledger that it can't be cut from.
async fn wired() -> (World, Wire, Ledger) {
    let redis = testkit::redis();
    let wire = Wire::to(&redis.url).await;
    let config = LedgerConfig {
        url: secret(wire.url()),
        timeout: Duration::from_secs(2),
        ..redis.config(Clock::System)
    };
    let direct = redis.ledger(Clock::System).await;
    let world = World::over(redis, testkit::connected(config).await).await;
    (world, wire, direct)
}

#[tokio::test]
async fn without_the_ledger_nothing_is_written() {
    let (world, wire, _) = wired().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let grant = world.grant(&owner, server.id).await.grant;
    let at = epoch(&world, owner.tenant()).await;
    wire.cut();

    let input = NewServer {
        name: "two".to_owned(),
        upstream_url: server.upstream_url.clone(),
        headers: Vec::new(),
        catalogue_entry: None,
    };
    let refused = [
        world.control.register_server(&owner, &input).await.map(drop),
        world.control.revoke_grant(&owner, grant.id).await.map(drop),
        world.control.delete_server(&owner, server.id).await.map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(Error::Unavailable(Service::Ledger))), "{refused:?}");
    }
    assert_eq!(epoch(&world, owner.tenant()).await, at);
    assert_eq!(world.count("SELECT count(*) FROM servers").await, 1);
    assert_eq!(world.control.grant(&owner, grant.id).await.unwrap().revoked_at, None);
    assert_eq!(world.last_action(&owner).await, "grant.mint");

    wire.mend();
    eventually("the ledger is back", async || world.control.revoke_grant(&owner, grant.id).await.ok()).await;
}

/// Holds every change of the tenant's epoch until the connection is closed.
async fn hold(world: &World) -> PgConnection {
    let mut owner = world.db.owner().await;
    sqlx::raw_sql("BEGIN; SELECT FROM tenants FOR UPDATE").execute(&mut owner).await.unwrap();
    owner
}

/// Until a change waits for the one who holds it: it has set its mark.
async fn until_a_change_waits(world: &World) {
    let mut owner = world.db.owner().await;
    eventually("a change waits", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut owner)
        .await
        .unwrap();
        (waiting > 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_ledger_lost_after_the_commit_makes_calls_slower_and_not_wrong() {
    let (world, wire, direct) = wired().await;
    let owner = world.owner("acme").await;
    let server = world.server(&owner, "one").await;
    let grant = world.grant(&owner, server.id).await.grant;
    let (tenant, at) = (owner.tenant(), epoch(&world, owner.tenant()).await);
    introduce(&direct, tenant, at).await;

    let held = hold(&world).await;
    let (control, actor) = (world.control.clone(), owner.clone());
    let revoking = tokio::spawn(async move { control.revoke_grant(&actor, grant.id).await });
    until_a_change_waits(&world).await;
    wire.cut();
    held.close().await.unwrap();
    let revoked = revoking.await.unwrap().unwrap();
    assert!(revoked.revoked_at.is_some());
    assert_eq!(epoch(&world, tenant).await, at + 1);

    // No gateway may use what it judged before; one that reads anew goes on.
    let stale = settle(&direct, tenant, at, None).await;
    assert!(is_stale(&stale));
    assert!(is_taken(&settle(&direct, tenant, at + 1, Some(&stale)).await));
    assert!(is_stale(&settle(&direct, tenant, at, None).await));
}

#[tokio::test]
async fn a_change_that_takes_too_long_is_rolled_back() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let ledger = world.redis.ledger(Clock::System).await;
    let server = world.server(&owner, "one").await;
    let grant = world.grant(&owner, server.id).await.grant;
    let at = epoch(&world, owner.tenant()).await;
    introduce(&ledger, owner.tenant(), at).await;

    let held = hold(&world).await;
    let refused = world.control.revoke_grant(&owner, grant.id).await;
    assert!(matches!(refused, Err(Error::Unavailable(Service::Database))), "{refused:?}");
    held.close().await.unwrap();
    assert_eq!(world.control.grant(&owner, grant.id).await.unwrap().revoked_at, None);
    assert_eq!(epoch(&world, owner.tenant()).await, at);
    eventually("the mark is taken out", async || {
        is_taken(&settle(&ledger, owner.tenant(), at, None).await).then_some(())
    })
    .await;
}

#[tokio::test]
async fn changes_at_once_all_come_about() {
    let world = World::new().await;
    let owner = world.owner("acme").await;
    let ledger = world.redis.ledger(Clock::System).await;
    let server = world.server(&owner, "one").await;
    let at = epoch(&world, owner.tenant()).await;
    introduce(&ledger, owner.tenant(), at).await;
    let policies = (0..12).map(|n| {
        let (control, owner) = (world.control.clone(), owner.clone());
        let input = NewPolicy { name: format!("p{n}"), document: ALLOW.to_owned() };
        tokio::spawn(async move { control.create_policy(&owner, server.id, &input).await })
    });
    let policies: Vec<_> = policies.collect();
    for policy in policies {
        policy.await.unwrap().unwrap();
    }
    assert_eq!(epoch(&world, owner.tenant()).await, at + 12);
    assert!(is_taken(&settle(&ledger, owner.tenant(), at + 12, None).await));
    assert_eq!(world.count("SELECT count(*) FROM admin_events WHERE action = 'policy.create'").await, 12);
}
