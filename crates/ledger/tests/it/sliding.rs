//! The sliding window against a naive model: never more than the limit in any span, and at most 1/60 early.

use ledger::{Settled, Window};
use proptest::prelude::*;

use crate::desk::{Desk, charge, decision, level, minute, taken};

/// One call: so many milliseconds after the last, of this cost.
#[derive(Clone, Debug)]
struct Call {
    after: u64,
    amount: u64,
}

fn calls(window: u64) -> impl Strategy<Value = Vec<Call>> {
    // Gaps around a sub-bucket, around the window, and none at all.
    let gap = prop_oneof![Just(0), 0..=window / 40, 0..=window / 4, window * 9 / 10..=window * 11 / 10];
    let call = (gap, 0_u64..=5).prop_map(|(after, amount)| Call { after, amount });
    proptest::collection::vec(call, 1..60)
}

/// Milliseconds of window, limit, calls.
fn runs() -> impl Strategy<Value = (u64, u64, Vec<Call>)> {
    let window = prop_oneof![Just(1_u64), Just(7), Just(60), Just(3600), Just(2_678_400)];
    window.prop_flat_map(|seconds| (Just(seconds * 1000), 1_u64..=12, calls(seconds * 1000)))
}

async fn follows_the_model(window: u64, max: u64, calls: Vec<Call>) -> Result<(), TestCaseError> {
    let desk = Desk::new().await;
    let limit = charge(1, Window::Sliding { seconds: u32::try_from(window / 1000).unwrap() }, max);
    let mut now = 0;
    let mut log: Vec<(u64, u64)> = Vec::new();
    for call in calls {
        now += call.after;
        desk.advance(call.after);
        let settled = desk.take(&[ledger::Charge { amount: call.amount, ..limit.clone() }]).await;
        // Over the span of this length that ends now, and the one that is 1/60 longer.
        let within = |span: u64| -> u64 {
            log.iter().filter(|(at, _)| now < at + span).map(|(_, amount)| amount).sum()
        };
        let (exact, at_most) = (within(window), within(window + window.div_ceil(60)));
        let level = level(settled.clone());
        match settled {
            Settled::Taken { .. } => {
                prop_assert!(exact + call.amount <= max, "{exact} + {} > {max}", call.amount);
                log.push((now, call.amount));
                prop_assert!(level.used >= exact + call.amount && level.used <= at_most + call.amount);
            }
            Settled::Over { .. } => {
                prop_assert!(
                    at_most + call.amount > max,
                    "refused with {at_most} + {} of {max}",
                    call.amount
                );
                prop_assert!(level.used >= exact && level.used <= at_most);
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn never_more_in_any_span_and_at_most_a_sixtieth_early((window, max, calls) in runs()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(follows_the_model(window, max, calls))?;
    }
}

#[tokio::test]
async fn a_refusal_says_when_the_same_call_would_fit() {
    let desk = Desk::new().await;
    for (counter, seconds) in [(1, 1), (2, 60), (3, 86_400)] {
        let limit = charge(counter, Window::Sliding { seconds }, 10);
        for amount in [3, 4, 3] {
            assert!(taken(&desk.take(&[ledger::Charge { amount, ..limit.clone() }]).await));
            desk.advance(u64::from(seconds) * 100);
        }
        for amount in [2, 5, 10] {
            let ask = ledger::Charge { amount, ..limit.clone() };
            let at = level(desk.take(std::slice::from_ref(&ask)).await).resets_at;
            let wait = u64::try_from((at - desk.clock.now()).num_milliseconds()).unwrap();
            desk.advance(wait - 1);
            assert!(
                !taken(&desk.take(std::slice::from_ref(&ask)).await),
                "{amount} of {seconds} s: too early"
            );
            desk.advance(1);
            let probe = decision();
            assert!(taken(&desk.take_as(probe, &[ask]).await), "{amount} of {seconds} s: too late");
            let close = ledger::Close {
                tenant: desk.tenant,
                decision: probe,
                record: b"{}",
                give_back: ledger::GiveBack::All,
            };
            assert!(desk.ledger.close(&close).await.unwrap().gave_back);
        }
    }
}

#[tokio::test]
async fn what_is_taken_says_when_the_counter_would_be_empty() {
    let desk = Desk::new().await;
    let limit = minute(1, 10);
    desk.take(std::slice::from_ref(&limit)).await;
    desk.advance(20_000);
    let at = level(desk.take(std::slice::from_ref(&limit)).await).resets_at;
    let wait = u64::try_from((at - desk.clock.now()).num_milliseconds()).unwrap();
    assert!((60_000..=61_000).contains(&wait), "{wait}");
    desk.advance(wait - 1);
    assert_eq!(desk.used(&limit).await, 1);
    desk.advance(1);
    assert_eq!(desk.used(&limit).await, 0);
}

#[tokio::test]
async fn a_clock_that_goes_back_frees_nothing() {
    let desk = Desk::new().await;
    let limit = minute(1, 1);
    desk.advance(600_000);
    assert!(taken(&desk.take(std::slice::from_ref(&limit)).await));
    let clock = domain::Clock::manual(crate::desk::start());
    let behind = Desk { ledger: desk.redis.ledger(clock.clone()).await, clock, ..desk };
    assert!(!taken(&behind.take(&[limit]).await));
}
