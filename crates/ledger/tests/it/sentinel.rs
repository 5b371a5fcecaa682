//! Sentinels: the primary is found by what most of them say, and found again after a failover.

use ledger::{Ledger, LedgerConfig, Settled, Shard};
use testkit::{Program, RedisSentinels, eventually};

use crate::desk::decision;
use crate::nodes::{Crowd, Gateway, Told, config, daily, folder, tenant_in, whole};

const MAX: u64 = 3000;

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_another_generation_and_exceeds_a_limit_by_no_more_than_it_lost() {
    fails_over_under_load(Program::Redis).await;
}

pub async fn fails_over_under_load(program: Program) {
    let mut redis = RedisSentinels::start(program, folder()).await;
    let (one, two) = (whole(&redis.url()).await, whole(&redis.url()).await);
    let tenant = tenant_in(Shard::all().next().unwrap());
    let gateways = [&one, &two].map(|ledger| Gateway::new(ledger.clone(), tenant));
    let crowd = Crowd::start(&gateways, MAX);
    crowd.goes_on(400).await;
    let before = [one.since(tenant), two.since(tenant)];
    redis.servers[0].kill().await;
    eventually("the new primary is in use", async || {
        let found = [&one, &two].iter().zip(before).all(|(ledger, before)| ledger.since(tenant) > before);
        found.then_some(())
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
async fn without_most_of_the_sentinels_no_primary_is_trusted() {
    let mut redis = RedisSentinels::start(Program::Redis, folder()).await;
    let ledger = whole(&redis.url()).await;
    let gateway = Gateway::new(ledger.clone(), tenant_in(Shard::all().next().unwrap()));
    assert_eq!(gateway.call(decision(), &[daily(10)]).await, Told::Taken);
    redis.sentinels[0].kill().await;
    assert_eq!(gateway.call(decision(), &[daily(10)]).await, Told::Taken);
    redis.sentinels[1].kill().await;
    let told = eventually("nobody is trusted", async || ledger.ping().await.err()).await.to_string();
    assert!(told.contains("most sentinels must name the same primary"), "{told}");
    assert_eq!(gateway.call(decision(), &[daily(10)]).await, Told::Failed);
    redis.sentinels[1].revive().await;
    eventually("the primary is found again", async || ledger.out_of_reach().is_empty().then_some(())).await;
    assert_eq!(gateway.counted(&daily(10)).await, 2);
}

#[tokio::test]
async fn sentinels_may_want_a_password_of_their_own() {
    let redis = RedisSentinels::start(Program::Redis, folder()).await;
    for sentinel in &redis.sentinels {
        sentinel.tell(&["ACL", "SETUSER", "default", "resetpass", ">sentry"]).await;
    }
    let without = Ledger::connect(config(&redis.url())).unwrap();
    let told = eventually("a reason", async || {
        let error = without.ping().await.unwrap_err().to_string();
        (!error.contains("not connected yet")).then_some(error)
    })
    .await;
    assert!(told.contains("NOAUTH") || told.contains("Authentication"), "{told}");
    let password = Some(domain::Secret::new("sentry".to_owned()));
    let ledger =
        testkit::connected(LedgerConfig { sentinel_password: password, ..config(&redis.url()) }).await;
    assert_eq!(ledger.ping().await, Ok(()));
}
