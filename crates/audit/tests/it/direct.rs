//! Writing while Redis is away, and what then comes through the stream as well.

use audit::{Completion, close_direct, record_direct};
use domain::Outcome;
use ledger::GiveBack;

use crate::desk::Desk;

#[tokio::test]
async fn a_decision_is_there_when_recording_returns() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    record_direct(&desk.storage, &decision).await.unwrap();
    assert_eq!(desk.get(&decision).await.unwrap().completion, Completion::Open);
    close_direct(&desk.storage, &desk.closing(&decision)).await.unwrap();
    let row = desk.get(&decision).await.unwrap();
    assert_eq!((row.completion, row.upstream_status), (Completion::Closed, Some(200)));
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn what_the_caller_was_told_stands_against_what_the_stream_says_later() {
    // The settle timed out but took effect; the caller was told something else.
    let desk = Desk::new().await;
    let allowed = desk.allowed();
    desk.settle(&allowed).await;
    let told = audit::Decision {
        outcome: Outcome::Deny,
        forwards: false,
        rule: Some("(limits unavailable)".to_owned()),
        ..allowed.clone()
    };
    record_direct(&desk.storage, &told).await.unwrap();
    desk.drain().once().await.unwrap();
    let row = desk.get(&allowed).await.unwrap();
    assert_eq!((row.outcome, row.rule), (Outcome::Deny, told.rule));
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn the_end_of_a_call_whose_decision_waits_in_the_stream_is_kept_for_it() {
    let desk = Desk::new().await;
    let decision = desk.allowed();
    desk.settle(&decision).await;
    close_direct(&desk.storage, &desk.closing(&decision)).await.unwrap();
    close_direct(&desk.storage, &desk.closing(&decision)).await.unwrap();
    desk.drain().once().await.unwrap();
    assert_eq!(desk.get(&decision).await.unwrap().completion, Completion::Closed);
    desk.close(&desk.closing(&decision), GiveBack::All).await;
    desk.drain().once().await.unwrap();
    assert!(!desk.get(&decision).await.unwrap().refunded, "the first ending stands");
    assert_eq!(desk.verified().await, 1);
}

#[tokio::test]
async fn many_at_once_make_one_chain() {
    let desk = Desk::new().await;
    let mut recordings = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (storage, decision) = (desk.storage.clone(), desk.denied());
        recordings.spawn(async move { record_direct(&storage, &decision).await.unwrap() });
    }
    recordings.join_all().await;
    assert_eq!(desk.verified().await, 40);
}
