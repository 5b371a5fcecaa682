//! A Redis Cluster: every shard is reached, nodes die and come back, slots move; limits hold all the while.

use std::time::Duration;

use ledger::{Close, EntryKind, GiveBack, Ledger, LedgerError, Settled, Shard};
use testkit::{Program, RedisCluster, eventually};
use uuid::Uuid;

use crate::desk::{decision, taken};
use crate::nodes::{Crowd, Gateway, Told, config, daily, folder, slot, tenant_in, whole};

async fn cluster(replicas: u16) -> RedisCluster {
    RedisCluster::start(Program::Redis, folder(), replicas).await
}

/// Which node of a fresh cluster has a shard.
async fn node_of(cluster: &RedisCluster, shard: Shard) -> usize {
    cluster.holder(slot(&cluster.nodes[0], shard).await).await
}

/// A shard on each of the three nodes.
async fn one_on_each(cluster: &RedisCluster) -> [Shard; 3] {
    let mut found = [None; 3];
    for shard in Shard::all() {
        found[node_of(cluster, shard).await].get_or_insert(shard);
        if let [Some(one), Some(two), Some(three)] = found {
            return [one, two, three];
        }
    }
    panic!("64 shards are on fewer than three nodes")
}

#[tokio::test]
async fn every_operation_reaches_every_shard() {
    reaches_every_shard(Program::Redis).await;
}

pub async fn reaches_every_shard(program: Program) {
    let cluster = RedisCluster::start(program, folder(), 0).await;
    let ledger = whole(&cluster.url()).await;
    assert_eq!(ledger.backlog().await.unwrap(), []);
    for shard in Shard::all() {
        let tenant = tenant_in(shard);
        testkit::introduce(&ledger, tenant, 1).await;
        let gateway = Gateway::new(ledger.clone(), tenant);
        let call = decision();
        assert_eq!(gateway.call(call, &[daily(1)]).await, Told::Taken);
        assert_eq!(gateway.call(decision(), &[daily(1)]).await, Told::Over);
        let close = Close { tenant, decision: call, record: b"{}", give_back: GiveBack::All };
        assert!(ledger.close(&close).await.unwrap().gave_back);
        assert_eq!(gateway.counted(&daily(1)).await, 0);
        let change = Uuid::from_u128(7);
        ledger.mark(tenant, change).await.unwrap();
        ledger.publish(tenant, change, 2).await.unwrap();
        assert_eq!(ledger.epoch(tenant).await.unwrap(), Some(2));
        ledger.keep_task(tenant, &[1; 32], "task", Duration::from_mins(1)).await.unwrap();
        assert_eq!(ledger.task_names(tenant, &[[1; 32]]).await.unwrap(), [Some("task".to_owned())]);
        ledger.append(tenant, b"{}", None).await.unwrap();
    }
    let backlog = ledger.backlog().await.unwrap();
    assert_eq!(backlog.iter().map(|(shard, _)| *shard).collect::<Vec<_>>(), Shard::all().collect::<Vec<_>>());
    for (shard, length) in backlog {
        let holder = Uuid::from_u128(1);
        assert!(ledger.lease(shard, holder, Duration::from_mins(1)).await.unwrap());
        let entries = ledger.read(shard, 100).await.unwrap();
        assert_eq!(entries.len(), usize::try_from(length).unwrap());
        assert!(entries.iter().any(|entry| matches!(entry.kind, EntryKind::Closing { gave_back: true })));
        ledger.acknowledge(shard, entries.last().unwrap().id).await.unwrap();
        ledger.release(shard, holder).await.unwrap();
    }
    assert_eq!(ledger.backlog().await.unwrap(), []);
}

#[tokio::test]
async fn one_address_is_enough_to_find_the_others() {
    let cluster = cluster(0).await;
    let ledger = whole(&cluster.nodes[1].url().replace("redis:", "redis+cluster:")).await;
    assert_eq!(ledger.ping().await, Ok(()));
}

#[tokio::test]
async fn an_address_of_the_wrong_kind_says_so() {
    let cluster = cluster(0).await;
    let wrong = Ledger::connect(config(&cluster.nodes[0].url())).unwrap();
    let told = eventually("a reason", async || {
        let error = wrong.ping().await.unwrap_err().to_string();
        (!error.contains("not connected yet")).then_some(error)
    })
    .await;
    assert!(told.contains("write its address like redis+cluster://host:6379"), "{told}");
    let alone = testkit::redis();
    let wrong = Ledger::connect(config(&alone.url.replace("redis:", "redis+cluster:"))).unwrap();
    let told = eventually("a reason", async || {
        let error = wrong.ping().await.unwrap_err().to_string();
        (!error.contains("not connected yet")).then_some(error)
    })
    .await;
    assert!(told.contains("cluster support disabled") || told.contains("leave out `+cluster`"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_makes_only_its_own_tenants_be_read_anew() {
    let mut cluster = cluster(0).await;
    let ledger = whole(&cluster.url()).await;
    let shards = one_on_each(&cluster).await;
    let tenants = shards.map(tenant_in);
    let gateways = tenants.map(|tenant| Gateway::new(ledger.clone(), tenant));
    for gateway in &gateways {
        assert_eq!(gateway.call(decision(), &[daily(2)]).await, Told::Taken);
    }
    let before = tenants.map(|tenant| ledger.since(tenant));
    let now = *ledger.generation().borrow();
    cluster.nodes[0].kill().await;
    eventually("the loss is noticed", async || ledger.out_of_reach().contains(&shards[0]).then_some(()))
        .await;
    assert!(matches!(gateways[0].settle(decision(), &[]).await, Err(LedgerError::Away(_))));
    // The others go on.
    assert_eq!(gateways[1].call(decision(), &[daily(2)]).await, Told::Taken);
    assert_eq!(ledger.ping().await, Ok(()));
    assert!(ledger.backlog().await.unwrap().iter().any(|(shard, _)| *shard == shards[1]));

    cluster.nodes[0].revive().await;
    eventually("it is found again", async || ledger.out_of_reach().is_empty().then_some(())).await;
    let after = tenants.map(|tenant| ledger.since(tenant));
    assert!(after[0] > now, "{before:?} {after:?}");
    assert_eq!(before[1..], after[1..]);
    assert!(matches!(gateways[0].remembered(now).await, Settled::Stale { .. }));
    assert!(taken(&gateways[1].remembered(now).await));
    // What was counted before is counted still: it writes every command to its file.
    assert_eq!(gateways[0].counted(&daily(2)).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_moves_while_calls_go_on_and_none_is_lost_or_doubled() {
    let cluster = cluster(0).await;
    let (one, two) = (whole(&cluster.url()).await, whole(&cluster.url()).await);
    let shards = one_on_each(&cluster).await;
    let tenant = tenant_in(shards[0]);
    let gateways = [&one, &two].map(|ledger| Gateway::new(ledger.clone(), tenant));
    let neighbour = Gateway::new(one.clone(), tenant_in(shards[1]));
    let crowd = Crowd::start(&gateways, 1_000_000);
    crowd.goes_on(200).await;
    let open = decision();
    assert_eq!(gateways[0].call(open, &[daily(1_000_000)]).await, Told::Taken);

    let (before, others) = (one.since(tenant), one.since(tenant_in(shards[1])));
    let slot = slot(&cluster.nodes[0], shards[0]).await;
    let closing = Close { tenant, decision: open, record: b"{}", give_back: GiveBack::All };
    let mut closed = None;
    let half = async || {
        // Half of the keys are gone: single keys are found where they are, everything else waits for the end.
        one.ping().await.unwrap();
        assert!(one.read(shards[0], 1).await.unwrap().len() == 1);
        assert_eq!(neighbour.call(decision(), &[daily(10)]).await, Told::Taken);
    };
    let moving = cluster.move_slot(slot, 1, half);
    let ending = async { closed = Some(one.close(&closing).await) };
    tokio::join!(moving, ending);
    crowd.goes_on(200).await;

    let balance = crowd.stop().await.balance(&gateways[0]).await;
    assert!(one.since(tenant) > before, "the shard has a generation of its own");
    assert_eq!(one.since(tenant_in(shards[1])), others, "the others keep theirs");
    let gave_back = u64::from(closed.unwrap().is_ok_and(|closed| closed.gave_back));
    // The call that was closed was no caller's; every other that was taken is counted, and no more.
    assert_eq!(balance.lost, 0, "{balance:?}");
    assert_eq!(balance.counted, balance.taken + balance.unknown + 1 - gave_back, "{balance:?}");
    assert_eq!(cluster.holder(slot).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_under_load_exceeds_a_limit_by_no_more_than_it_lost() {
    fails_over_under_load(Program::Redis).await;
}

pub async fn fails_over_under_load(program: Program) {
    const MAX: u64 = 3000;
    let mut cluster = RedisCluster::start(program, folder(), 1).await;
    let (one, two) = (whole(&cluster.url()).await, whole(&cluster.url()).await);
    let shard = Shard::all().next().unwrap();
    let holder = node_of(&cluster, shard).await;
    let tenant = tenant_in(shard);
    let gateways = [&one, &two].map(|ledger| Gateway::new(ledger.clone(), tenant));
    let crowd = Crowd::start(&gateways, MAX);
    crowd.goes_on(400).await;
    let before = [one.since(tenant), two.since(tenant)];
    cluster.nodes[holder].kill().await;
    // Nobody is restarted: the replica is promoted, and found.
    eventually("the shard is reached again", async || {
        let reached = [&one, &two].iter().zip(before).all(|(ledger, before)| ledger.since(tenant) > before);
        reached.then_some(())
    })
    .await;
    for (gateway, before) in gateways.iter().zip(before) {
        assert!(
            matches!(gateway.remembered(before).await, Settled::Stale { .. }),
            "what was remembered is stale"
        );
    }
    crowd.goes_on(MAX).await;
    let balance = crowd.stop().await.balance(&gateways[0]).await;
    assert_eq!(balance.counted, MAX, "{balance:?}");
    assert_eq!(balance.taken - balance.lost + balance.unknown, MAX, "{balance:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_of_a_replica_in_step_loses_nothing() {
    const MAX: u64 = 500;
    let mut cluster = cluster(1).await;
    let ledger = whole(&cluster.url()).await;
    let shard = Shard::all().next().unwrap();
    let holder = node_of(&cluster, shard).await;
    let tenant = tenant_in(shard);
    let gateway = Gateway::new(ledger.clone(), tenant);
    for _ in 0..MAX - 1 {
        assert_eq!(gateway.call(decision(), &[daily(MAX)]).await, Told::Taken);
    }
    let change = Uuid::from_u128(1);
    ledger.mark(tenant, change).await.unwrap();
    ledger.publish(tenant, change, 1).await.unwrap();
    let acknowledged = cluster.nodes[holder].ask(&["WAIT", "1", "10000"]).await;
    let in_step = async || {
        let info = cluster.nodes[holder].ask(&["INFO", "replication"]).await;
        let field = |name: &str| {
            info.lines().find_map(|line| line.trim().split_once(name)).map(|(_, at)| at.to_owned())
        };
        let (own, replica) = (field("master_repl_offset:")?, field("offset=")?);
        replica.starts_with(&own).then_some(())
    };
    assert!(!acknowledged.is_empty());
    eventually("a replica in step", in_step).await;
    cluster.nodes[holder].kill().await;
    eventually("the loss is noticed", async || ledger.out_of_reach().contains(&shard).then_some(())).await;
    eventually("the shard is reached again", async || ledger.out_of_reach().is_empty().then_some(())).await;
    assert_eq!(gateway.counted(&daily(MAX)).await, MAX - 1);
    let last = eventually("an answer", async || {
        let told = gateway.call(decision(), &[daily(MAX)]).await;
        (told != Told::Failed).then_some(told)
    })
    .await;
    assert_eq!(last, Told::Taken);
    assert_eq!(gateway.call(decision(), &[daily(MAX)]).await, Told::Over);

    // The old primary comes back as a replica of the new one, and is not taken for a primary.
    cluster.nodes[holder].revive().await;
    cluster.agrees().await;
    assert_eq!(gateway.call(decision(), &[daily(MAX)]).await, Told::Over);
}
