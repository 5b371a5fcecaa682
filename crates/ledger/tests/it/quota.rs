//! Taking: exact under concurrency, all or nothing, exact at the greatest amounts, shadows apart.

use domain::Clock;
use ledger::{Charge, LimitMark, Settle, Settled, Window};

use crate::desk::{Desk, charge, decision, level, minute, taken};

const GREATEST: u64 = 9_000_000_000_000_000;

#[tokio::test]
async fn a_limit_is_exact_among_callers_of_two_gateways() {
    let desk = Desk::at(Clock::System).await;
    let other = desk.redis.ledger(Clock::System).await;
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..300 {
        let ledger = if call % 2 == 0 { desk.ledger.clone() } else { other.clone() };
        let (tenant, decision) = (desk.tenant, decision());
        calls.spawn(async move {
            let charges = [minute(1, 100), charge(2, Window::CalendarMonth, 1000)];
            let settle = Settle {
                tenant,
                decision,
                epoch: 1,
                generation: *ledger.generation().borrow(),
                fresh: None,
                charges: &charges,
                record: b"{}",
            };
            ledger.settle(&settle).await.unwrap()
        });
    }
    let settled = calls.join_all().await;
    assert_eq!(settled.iter().filter(|settled| taken(settled)).count(), 100);
    assert_eq!(desk.used(&charge(2, Window::CalendarMonth, 1000)).await, 100, "a refused call took");
    let backlog: u64 = desk.ledger.backlog().await.unwrap().iter().map(|(_, length)| length).sum();
    assert_eq!(backlog, 301, "every decision is on record, and the probe");
}

#[tokio::test]
async fn limits_are_taken_all_or_none_and_the_first_refusing_one_is_named() {
    let desk = Desk::new().await;
    let (wide, narrow) = (minute(1, 10), minute(2, 1));
    assert!(taken(&desk.take(&[wide.clone(), narrow.clone()]).await));
    let Settled::Over { index, level, cacheable } = desk.take(&[wide.clone(), narrow.clone()]).await else {
        panic!("the second limit let it through")
    };
    assert_eq!((index, level.used, level.max, cacheable), (1, 1, 1, true));
    assert_eq!((desk.used(&wide).await, desk.used(&narrow).await), (1, 1));
}

#[tokio::test]
async fn two_limits_on_one_counter_both_count() {
    let desk = Desk::new().await;
    let pair = [minute(1, 3), minute(1, 3)];
    assert!(taken(&desk.take(&pair).await));
    assert_eq!(desk.used(&pair[0]).await, 2);
    assert!(matches!(desk.take(&pair).await, Settled::Over { index: 1, .. }));
    assert_eq!(desk.used(&pair[0]).await, 2);
}

#[tokio::test]
async fn the_greatest_amounts_are_exact() {
    let desk = Desk::new().await;
    for (counter, window) in [(1, Window::Sliding { seconds: 60 }), (2, Window::Calendar { seconds: 86_400 })]
    {
        let ask = |amount| Charge { amount, ..charge(counter, window, GREATEST) };
        assert_eq!(level(desk.take(&[ask(GREATEST - 2)]).await).used, GREATEST - 2);
        assert_eq!(level(desk.take(&[ask(1)]).await).used, GREATEST - 1);
        assert!(!taken(&desk.take(&[ask(2)]).await));
        assert_eq!(level(desk.take(&[ask(1)]).await).used, GREATEST);
        assert!(!taken(&desk.take(&[ask(1)]).await));
        assert!(!taken(&desk.take(&[ask(u64::MAX)]).await));
        assert_eq!(desk.used(&ask(0)).await, GREATEST);
    }
}

#[tokio::test]
async fn a_limit_of_nothing_refuses_all_but_what_is_free() {
    let desk = Desk::new().await;
    let none = minute(1, 0);
    assert!(!taken(&desk.take(std::slice::from_ref(&none)).await));
    assert!(taken(&desk.take(&[Charge { amount: 0, ..none }]).await));
}

#[tokio::test]
async fn a_lowered_limit_refuses_what_is_already_above_it() {
    let desk = Desk::new().await;
    for _ in 0..5 {
        assert!(taken(&desk.take(&[minute(1, 5)]).await));
    }
    let refused = level(desk.take(&[minute(1, 2)]).await);
    assert_eq!((refused.used, refused.max), (5, 2));
}

#[tokio::test]
async fn a_shadow_limit_counts_apart_and_never_blocks() {
    let desk = Desk::new().await;
    let shadow = Charge { shadow: true, ..minute(1, 1) };
    let other = Charge { shadow: true, ..minute(2, 9) };
    let real = minute(1, 9);
    let call = [shadow.clone(), real.clone(), other.clone()];
    assert!(matches!(desk.take(&call).await, Settled::Taken { shadow_over: None, .. }));
    let Settled::Taken { shadow_over, levels, .. } = desk.take(&call).await else { panic!("blocked") };
    assert_eq!(shadow_over, Some(0));
    assert_eq!(levels.iter().map(|level| level.used).collect::<Vec<_>>(), [1, 2, 1]);
    assert_eq!(
        (desk.used(&shadow).await, desk.used(&other).await),
        (1, 1),
        "the call it stands for took nothing"
    );

    let shard = desk.ledger.backlog().await.unwrap()[0].0;
    let entries = desk.ledger.read(shard, 2).await.unwrap();
    let ledger::EntryKind::Decision { limit, over, shadow, .. } = entries[1].kind else {
        panic!("{entries:?}")
    };
    assert!(!over);
    assert!(matches!(limit, Some(LimitMark { index: 1, used: 2, max: 9, .. })), "{limit:?}");
    assert!(matches!(shadow, Some(LimitMark { index: 0, used: 1, max: 1, .. })), "{shadow:?}");
}

#[tokio::test]
async fn tenants_do_not_share_counters() {
    let desk = Desk::new().await;
    assert!(taken(&desk.take(&[minute(1, 1)]).await));
    let other = Desk { tenant: vault::Entropy::System.id(crate::desk::start()), ..Desk::new().await };
    testkit::introduce(&other.ledger, other.tenant, 1).await;
    assert!(taken(&other.take(&[minute(1, 1)]).await));
}

#[tokio::test]
async fn nothing_is_kept_for_ever_but_the_streams() {
    let desk = Desk::new().await;
    let windows = [Window::Sliding { seconds: 60 }, Window::Calendar { seconds: 60 }, Window::CalendarMonth]
        .into_iter();
    let charges: Vec<_> = (1..).zip(windows).map(|(counter, window)| charge(counter, window, 9)).collect();
    assert!(taken(&desk.take(&charges).await));
    desk.ledger.mark(desk.tenant, uuid::Uuid::from_u128(1)).await.unwrap();
    let once = ledger::Once { same: [1; 32], seconds: 60, decision: decision() };
    for _ in 0..2 {
        desk.ledger.append(desk.tenant, b"{}", Some(once)).await.unwrap();
    }
    let mut redis = redis::Client::open(desk.redis.url.as_str())
        .unwrap()
        .get_multiplexed_async_connection()
        .await
        .unwrap();
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("{}:*", desk.redis.namespace)).query_async(&mut redis).await.unwrap();
    assert_eq!(keys.len(), 3 + 6, "counters; epoch, pending, reservation, stream, once, repeats: {keys:?}");
    for key in keys {
        let ttl: i64 = redis::cmd("TTL").arg(&key).query_async(&mut redis).await.unwrap();
        assert_eq!(ttl > 0, !key.ends_with(":decisions"), "{key} lives {ttl} s");
    }
}
