//! The decision stream: bounded, read in order, dropped once acknowledged, leased to one reader.

use std::time::Duration;

use domain::Clock;
use ledger::{Appended, Close, EntryKind, GiveBack, LedgerConfig, Most, Once, Settle, Settled, Shard};
use uuid::Uuid;

use crate::desk::{Desk, decision, level, minute, taken};

#[tokio::test]
async fn entries_come_back_as_they_were_written() {
    let desk = Desk::new().await;
    let call = decision();
    let charges = [minute(1, 5), minute(2, 1)];
    let settle = Settle {
        tenant: desk.tenant,
        decision: call,
        epoch: 1,
        generation: desk.generation(),
        fresh: None,
        charges: &charges,
        record: b"\x00\xffany bytes",
    };
    assert!(taken(&desk.ledger.settle(&settle).await.unwrap()));
    let over = desk.ledger.settle(&Settle { decision: decision(), ..settle }).await.unwrap();
    let close = Close { tenant: desk.tenant, decision: call, record: b"the end", give_back: GiveBack::All };
    desk.ledger.close(&close).await.unwrap();
    assert_eq!(desk.ledger.append(desk.tenant, b"refused", None).await.unwrap(), Appended::Recorded);

    let shard = Shard::of(desk.tenant);
    assert_eq!(desk.ledger.backlog().await.unwrap(), [(shard, 4)]);
    let entries = desk.ledger.read(shard, 10).await.unwrap();
    let records: Vec<&[u8]> = entries.iter().map(|entry| entry.record.as_slice()).collect();
    assert_eq!(records, [b"\x00\xffany bytes".as_slice(), b"\x00\xffany bytes", b"the end", b"refused"]);
    assert!(entries.iter().all(|entry| entry.tenant == desk.tenant));
    assert!(entries.is_sorted_by(|a, b| a.id < b.id));

    // The one with the least left.
    let EntryKind::Decision { limit: Some(limit), over: false, shadow: None, counted_for: None } =
        entries[0].kind
    else {
        panic!("{:?}", entries[0])
    };
    assert_eq!((limit.index, limit.used, limit.max), (1, 1, 1));
    let EntryKind::Decision { limit: Some(limit), over: true, shadow: None, .. } = entries[1].kind else {
        panic!("{:?}", entries[1])
    };
    assert_eq!((limit.index, limit.used, limit.max), (1, 1, 1));
    assert_eq!(limit.resets_at, level(over).resets_at);
    assert_eq!(entries[2].kind, EntryKind::Closing { gave_back: true });
    assert_eq!(
        entries[3].kind,
        EntryKind::Decision { limit: None, over: false, shadow: None, counted_for: None }
    );
}

#[tokio::test]
async fn a_full_stream_refuses_calls_and_takes_nothing() {
    let desk = Desk::new().await;
    let config = LedgerConfig { stream_max: 3, ..desk.redis.config(desk.clock.clone()) };
    let desk = Desk { ledger: testkit::connected(config).await, ..desk };
    let call = decision();
    assert!(taken(&desk.take_as(call, &[minute(1, 9)]).await));
    assert!(taken(&desk.take(&[minute(1, 9)]).await));
    assert!(taken(&desk.take(&[]).await));
    assert_eq!(desk.take(&[minute(1, 9)]).await, Settled::Full);
    assert_eq!(desk.take(&[]).await, Settled::Full);
    assert_eq!(desk.ledger.append(desk.tenant, b"{}", None).await.unwrap(), Appended::Full);
    // A call that is under way can still end.
    let close = Close { tenant: desk.tenant, decision: call, record: b"{}", give_back: GiveBack::All };
    assert!(desk.ledger.close(&close).await.unwrap().gave_back);

    let shard = Shard::of(desk.tenant);
    let entries = desk.ledger.read(shard, 2).await.unwrap();
    desk.ledger.acknowledge(shard, entries[1].id).await.unwrap();
    assert_eq!(level(desk.take(&[minute(1, 9)]).await).used, 2, "one was given back, one taken");
}

#[tokio::test]
async fn reading_goes_on_behind_what_was_acknowledged() {
    let desk = Desk::new().await;
    let shard = Shard::of(desk.tenant);
    for record in 0..250_u8 {
        desk.ledger.append(desk.tenant, &[record], None).await.unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let batch = desk.ledger.read(shard, 60).await.unwrap();
        let again = desk.ledger.read(shard, 60).await.unwrap();
        assert_eq!(batch, again, "what was not acknowledged comes again");
        let Some(last) = batch.last() else { break };
        seen.extend(batch.iter().map(|entry| entry.record[0]));
        desk.ledger.acknowledge(shard, last.id).await.unwrap();
    }
    assert_eq!(seen, (0..250).collect::<Vec<u8>>());
    assert_eq!(desk.ledger.backlog().await.unwrap(), []);
}

#[tokio::test]
async fn a_shard_is_leased_to_one_at_a_time() {
    let desk = Desk::new().await;
    let shard = Shard::of(desk.tenant);
    let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let long = Duration::from_mins(1);
    assert!(desk.ledger.lease(shard, first, long).await.unwrap());
    assert!(!desk.ledger.lease(shard, second, long).await.unwrap());
    assert!(desk.ledger.lease(shard, first, long).await.unwrap(), "the holder renews");
    desk.ledger.release(shard, second).await.unwrap();
    assert!(!desk.ledger.lease(shard, second, long).await.unwrap(), "only the holder releases");
    desk.ledger.release(shard, first).await.unwrap();
    assert!(desk.ledger.lease(shard, second, Duration::from_millis(1)).await.unwrap());
    let expired = async {
        while !desk.ledger.lease(shard, first, long).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), expired).await.expect("a lease ends by itself");
}

#[tokio::test]
async fn a_flood_of_the_same_refusal_is_one_record_a_span() {
    let desk = Desk::new().await;
    let other = desk.redis.ledger(desk.clock.clone()).await;
    let append = async |ledger: &ledger::Ledger, same, decision| {
        let once = Once { same: [same; 32], seconds: 60, decision };
        ledger.append(desk.tenant, b"{}", Some(once)).await.unwrap()
    };
    let first = decision();
    assert_eq!(append(&desk.ledger, 1, first).await, Appended::Recorded);
    assert_eq!(append(&other, 1, decision()).await, Appended::Repeated);
    desk.advance(59_999);
    assert_eq!(append(&desk.ledger, 1, decision()).await, Appended::Repeated);
    assert_eq!(append(&desk.ledger, 2, decision()).await, Appended::Recorded);
    desk.advance(1);
    let second = decision();
    assert_eq!(append(&desk.ledger, 1, second).await, Appended::Recorded);
    assert_eq!(desk.ledger.repeats(desk.tenant, first).await.unwrap(), 3);
    assert_eq!(desk.ledger.repeats(desk.tenant, second).await.unwrap(), 1);
    let entries = desk.ledger.read(Shard::of(desk.tenant), 10).await.unwrap();
    assert_eq!(entries.len(), 3);
    assert!(
        entries.iter().all(|entry| matches!(entry.kind, EntryKind::Decision { counted_for: Some(60), .. }))
    );
}

#[tokio::test]
async fn tenants_spread_over_the_shards() {
    let entropy = vault::Entropy::seeded(1);
    let mut hits = std::collections::BTreeMap::<Shard, u32>::new();
    for _ in 0..6400 {
        *hits.entry(Shard::of(entropy.id(Clock::System.now()))).or_default() += 1;
    }
    assert_eq!(hits.len(), 64);
    assert!(hits.values().all(|hits| (50..=160).contains(hits)), "{hits:?}");
}

#[tokio::test]
async fn a_portion_ends_at_its_bytes_and_says_that_there_is_more() {
    let desk = Desk::new().await;
    let shard = Shard::of(desk.tenant);
    for n in 0..300_u16 {
        // Small ones first, so that large ones come unexpected.
        let record = vec![b'x'; if n < 100 { 10 } else { 1000 }];
        assert_eq!(desk.ledger.append(desk.tenant, &record, None).await.unwrap(), Appended::Recorded);
    }
    let (mut records, mut portions) = (Vec::new(), 0);
    loop {
        let most = Most { entries: 250, bytes: 20_000 };
        let portion = desk.ledger.read_portion(shard, most).await.unwrap();
        let bytes: usize = portion.entries.iter().map(|entry| entry.record.len()).sum();
        assert!(bytes < 20_000 + 64 * 2 * 1000, "{bytes}");
        desk.ledger.acknowledge(shard, portion.entries.last().unwrap().id).await.unwrap();
        records.extend(portion.entries.into_iter().map(|entry| entry.record.len()));
        portions += 1;
        if !portion.more {
            break;
        }
    }
    assert_eq!(records, [vec![10; 100], vec![1000; 200]].concat());
    assert!(portions > 2, "{portions}");
    assert_eq!(desk.ledger.backlog().await.unwrap(), []);

    for _ in 0..3 {
        desk.ledger.append(desk.tenant, b"x", None).await.unwrap();
    }
    let portion = desk.ledger.read_portion(shard, Most { entries: 2, bytes: 0 }).await.unwrap();
    assert_eq!((portion.entries.len(), portion.more), (2, true));
}
