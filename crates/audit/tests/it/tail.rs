//! The live tail: everything that is new or completed, in the order of writing, however the clocks stand.

use std::time::Duration;

use audit::{Completion, Filter, Row, TailCursor, tail, tail_start};
use domain::Outcome;
use ledger::GiveBack;

use crate::desk::Desk;

async fn next(desk: &Desk, filter: &Filter, at: &mut TailCursor) -> Vec<Row> {
    let mut tx = desk.storage.tenant(desk.tenant).await.unwrap();
    let tail = tail(&mut tx, filter, *at).await.unwrap();
    *at = tail.next.to_string().parse().unwrap();
    tail.rows
}

async fn from_now(desk: &Desk) -> TailCursor {
    tail_start(&mut desk.storage.tenant(desk.tenant).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn shows_what_comes_and_what_is_completed() {
    let desk = Desk::new().await;
    let everything = Filter::default();
    desk.record(&desk.denied()).await;
    desk.drain().once().await.unwrap();
    let mut at = from_now(&desk).await;
    assert_eq!(next(&desk, &everything, &mut at).await, []);

    let call = desk.allowed();
    desk.record(&call).await;
    desk.drain().once().await.unwrap();
    let rows = next(&desk, &everything, &mut at).await;
    assert_eq!((rows.len(), rows[0].id, rows[0].completion), (1, call.id, Completion::Open));
    assert_eq!(next(&desk, &everything, &mut at).await, []);

    desk.close(&desk.closing(&call), GiveBack::Nothing).await;
    desk.drain().once().await.unwrap();
    let rows = next(&desk, &everything, &mut at).await;
    assert_eq!((rows.len(), rows[0].id, rows[0].completion), (1, call.id, Completion::Closed));
    assert_eq!(next(&desk, &everything, &mut at).await, []);
}

#[tokio::test]
async fn misses_nothing_that_a_gateway_with_a_slow_clock_decided() {
    let desk = Desk::new().await;
    let mut at = from_now(&desk).await;
    let slow = desk.denied();
    desk.advance(Duration::from_secs(30));
    desk.record(&desk.denied()).await;
    desk.drain().once().await.unwrap();
    assert_eq!(next(&desk, &Filter::default(), &mut at).await.len(), 1);
    desk.record(&slow).await;
    desk.drain().once().await.unwrap();
    assert_eq!(next(&desk, &Filter::default(), &mut at).await[0].id, slow.id);
}

#[tokio::test]
async fn goes_on_where_a_full_answer_ended() {
    let desk = Desk::new().await;
    let mut at = from_now(&desk).await;
    // More than one answer holds, and its end is the end of a batch.
    for _ in 0..2800 {
        desk.record(&desk.denied()).await;
    }
    desk.drain().once().await.unwrap();
    let denied = Filter { outcomes: vec![Outcome::Deny], ..Filter::default() };
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let rows = next(&desk, &denied, &mut at).await;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            assert!(seen.insert(row.id), "{} twice", row.id);
        }
    }
    assert_eq!(seen.len(), 2800);
}

#[tokio::test]
async fn is_filtered() {
    let desk = Desk::new().await;
    let mut at = from_now(&desk).await;
    desk.record(&desk.denied()).await;
    desk.record(&desk.allowed()).await;
    desk.drain().once().await.unwrap();
    let denied = Filter { outcomes: vec![Outcome::Deny], ..Filter::default() };
    let rows = next(&desk, &denied, &mut at).await;
    assert_eq!(rows.iter().map(|row| row.outcome).collect::<Vec<_>>(), [Outcome::Deny]);
    assert!("-1".parse::<TailCursor>().is_err() && "x".parse::<TailCursor>().is_err());
}
