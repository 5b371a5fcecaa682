//! Giving back: once, and into the window it came from.

use domain::DecisionId;
use ledger::{Charge, Close, GiveBack, Window};

use crate::desk::{Desk, charge, decision, minute, taken};

async fn give_back(desk: &Desk, decision: DecisionId, what: GiveBack) -> bool {
    let close = Close { tenant: desk.tenant, decision, record: b"{}", give_back: what };
    desk.ledger.close(&close).await.unwrap().gave_back
}

#[tokio::test]
async fn what_was_taken_is_given_back_once() {
    let desk = Desk::new().await;
    let charges = [
        Charge { amount: 3, ..minute(1, 10) },
        Charge { amount: 2, ..charge(2, Window::CalendarMonth, 10) },
        Charge { amount: 1, shadow: true, ..minute(3, 10) },
    ];
    let (failed, stands) = (decision(), decision());
    assert!(taken(&desk.take_as(failed, &charges).await));
    assert!(taken(&desk.take_as(stands, &charges).await));
    let mut closings = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (ledger, tenant) = (desk.ledger.clone(), desk.tenant);
        closings.spawn(async move {
            let close = Close { tenant, decision: failed, record: b"{}", give_back: GiveBack::All };
            ledger.close(&close).await.unwrap().gave_back
        });
    }
    assert_eq!(closings.join_all().await.into_iter().filter(|gave| *gave).count(), 1);
    for (charge, left) in charges.iter().zip([3, 2, 1]) {
        assert_eq!(desk.used(charge).await, left);
    }
}

#[tokio::test]
async fn only_what_is_asked_is_given_back() {
    let desk = Desk::new().await;
    let charges = [minute(1, 10), minute(2, 10), minute(3, 10)];
    let call = decision();
    assert!(taken(&desk.take_as(call, &charges).await));
    assert!(give_back(&desk, call, GiveBack::Only(vec![1, 7])).await);
    assert!(!give_back(&desk, call, GiveBack::All).await, "a call is closed once");
    for (charge, left) in charges.iter().zip([1, 0, 1]) {
        assert_eq!(desk.used(charge).await, left);
    }
}

#[tokio::test]
async fn a_call_that_stands_keeps_what_it_took() {
    let desk = Desk::new().await;
    let call = decision();
    assert!(taken(&desk.take_as(call, &[minute(1, 1)]).await));
    assert!(!give_back(&desk, call, GiveBack::Nothing).await);
    assert!(!give_back(&desk, call, GiveBack::All).await);
    assert_eq!(desk.used(&minute(1, 1)).await, 1);
}

#[tokio::test]
async fn a_refused_call_has_nothing_to_give_back() {
    let desk = Desk::new().await;
    assert!(taken(&desk.take(&[minute(1, 1)]).await));
    let refused = decision();
    assert!(!taken(&desk.take_as(refused, &[minute(1, 1)]).await));
    assert!(!give_back(&desk, refused, GiveBack::All).await);
    assert_eq!(desk.used(&minute(1, 1)).await, 1);
}

#[tokio::test]
async fn it_goes_into_the_sub_bucket_it_came_from() {
    let desk = Desk::new().await;
    let limit = minute(1, 10);
    let first = decision();
    assert!(taken(&desk.take_as(first, &[Charge { amount: 4, ..limit.clone() }]).await));
    desk.advance(30_000);
    assert!(taken(&desk.take(&[Charge { amount: 5, ..limit.clone() }]).await));
    assert!(give_back(&desk, first, GiveBack::All).await);
    assert_eq!(desk.used(&limit).await, 5);
    // The first would leave now: it has nothing left to take with it.
    desk.advance(31_000);
    assert_eq!(desk.used(&limit).await, 5);
    desk.advance(30_000);
    assert_eq!(desk.used(&limit).await, 0);
}

#[tokio::test]
async fn nothing_goes_into_a_window_that_came_later() {
    let desk = Desk::new().await;
    let sliding = minute(1, 10);
    let calendar = charge(2, Window::Calendar { seconds: 60 }, 10);
    // The ring comes round to the same place after 61 sub-buckets of a second.
    for passed in [61_000, 122_000, 10_000_000] {
        let call = decision();
        assert!(taken(&desk.take_as(call, &[sliding.clone(), calendar.clone()]).await));
        desk.advance(passed);
        let later = [Charge { amount: 3, ..sliding.clone() }, Charge { amount: 3, ..calendar.clone() }];
        assert!(taken(&desk.take(&later).await));
        assert!(!give_back(&desk, call, GiveBack::All).await, "after {passed} ms");
        assert_eq!((desk.used(&sliding).await, desk.used(&calendar).await), (3, 3), "after {passed} ms");
        desk.advance(10_000_000);
    }
}
