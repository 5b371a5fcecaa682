//! Calendar windows: where they begin and end, against `chrono`.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use domain::Clock;
use ledger::Window;
use proptest::prelude::*;

use crate::desk::{Desk, charge, level, start, taken};

fn next_month(at: DateTime<Utc>) -> DateTime<Utc> {
    let first = NaiveDate::from_ymd_opt(at.year(), at.month(), 1).unwrap() + Months::new(1);
    first.and_hms_opt(0, 0, 0).unwrap().and_utc()
}

fn next_multiple(at: DateTime<Utc>, seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp().div_euclid(seconds) * seconds + seconds, 0).unwrap()
}

async fn agrees_with_chrono(at: DateTime<Utc>) -> Result<(), TestCaseError> {
    let desk = Desk::at(Clock::manual(at)).await;
    let month = level(desk.take(&[charge(1, Window::CalendarMonth, 5)]).await);
    prop_assert_eq!(month.resets_at, next_month(at));
    for (counter, seconds) in [(2, 1), (3, 60), (4, 3600), (5, 86_400), (6, 7), (7, 2_678_400)] {
        let window = Window::Calendar { seconds };
        let level = level(desk.take(&[charge(counter, window, 5)]).await);
        prop_assert_eq!(level.resets_at, next_multiple(at, i64::from(seconds)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn boundaries_are_those_of_utc(seconds in 1_600_000_000_i64..4_200_000_000, near in -2_i64..=2) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        runtime.block_on(agrees_with_chrono(at))?;
        runtime.block_on(agrees_with_chrono(next_month(at) + chrono::Duration::seconds(near)))?;
    }
}

#[tokio::test]
async fn a_calendar_window_starts_anew_at_its_boundary() {
    let desk = Desk::new().await;
    let windows = [
        Window::Calendar { seconds: 60 },
        Window::Calendar { seconds: 3600 },
        Window::Calendar { seconds: 86_400 },
        Window::CalendarMonth,
    ];
    // All four end with February: a second and a half from now.
    for (counter, window) in (1..).zip(windows) {
        let limit = charge(counter, window, 2);
        assert!(taken(&desk.take(std::slice::from_ref(&limit)).await));
        assert!(taken(&desk.take(std::slice::from_ref(&limit)).await));
        assert!(!taken(&desk.take(std::slice::from_ref(&limit)).await));
    }
    desk.advance(1499);
    for (counter, window) in (1..).zip(windows) {
        assert!(!taken(&desk.take(&[charge(counter, window, 2)]).await), "{window:?} ended early");
    }
    desk.advance(1);
    for (counter, window) in (1..).zip(windows) {
        assert_eq!(level(desk.take(&[charge(counter, window, 2)]).await).used, 1, "{window:?}");
    }
}

#[tokio::test]
async fn a_clock_that_goes_back_does_not_reopen_a_window() {
    let desk = Desk::new().await;
    let limit = charge(1, Window::CalendarMonth, 1);
    desk.advance(1500);
    assert!(taken(&desk.take(std::slice::from_ref(&limit)).await));
    let behind = Clock::manual(start());
    let ledger = desk.redis.ledger(behind.clone()).await;
    let behind = Desk { clock: behind, ledger, ..desk };
    assert!(!taken(&behind.take(&[limit]).await));
}
