//! The same on Valkey: one server, a cluster that fails over, sentinels.

use ledger::{Close, GiveBack, Shard};
use testkit::{Program, RedisServer};

use crate::desk::decision;
use crate::nodes::{Gateway, Told, daily, folder, tenant_in, whole};

#[tokio::test]
async fn one_server_counts_gives_back_and_records() {
    let valkey = RedisServer::start(Program::Valkey, folder(), &["appendonly yes"]).await;
    let ledger = whole(&valkey.url()).await;
    let tenant = tenant_in(Shard::all().next().unwrap());
    let gateway = Gateway::new(ledger.clone(), tenant);
    let call = decision();
    assert_eq!(gateway.call(call, &[daily(1)]).await, Told::Taken);
    assert_eq!(gateway.call(decision(), &[daily(1)]).await, Told::Over);
    let close = Close { tenant, decision: call, record: b"{}", give_back: GiveBack::All };
    assert!(ledger.close(&close).await.unwrap().gave_back);
    assert!(!ledger.close(&close).await.unwrap().gave_back);
    assert_eq!(gateway.call(decision(), &[daily(1)]).await, Told::Taken);
    assert_eq!(ledger.backlog().await.unwrap(), [(Shard::of(tenant), 5)]);
}

#[tokio::test]
async fn a_cluster_holds_every_shard() {
    crate::cluster::reaches_every_shard(Program::Valkey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_fails_over() {
    crate::cluster::fails_over_under_load(Program::Valkey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_fail_over() {
    crate::sentinel::fails_over_under_load(Program::Valkey).await;
}
