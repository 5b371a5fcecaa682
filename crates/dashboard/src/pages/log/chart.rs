//! The chart of the log: 24 hours, each a link that narrows the log to it.

use audit::{Filter, HourBar};
use chrono::{DateTime, Duration, Utc};
use domain::Outcome;

use super::query::{Query, hour_after, minute};
use crate::view::chart::{Bar, Chart};

/// Hours of the chart.
const HOURS: i64 = 24;

/// The hours that the chart shows: the last 24, or those around the range that the filters ask for.
pub fn range(filter: &Filter, now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let newest = hour_after(now);
    let span = Duration::hours(HOURS);
    let end = match (filter.from, filter.to) {
        (Some(from), _) if from >= newest - span => newest,
        (_, Some(to)) if to >= newest - span => newest,
        (_, Some(to)) => hour_after(to - Duration::microseconds(1)),
        (Some(from), None) => hour_after(from) + span - Duration::hours(1),
        (None, None) => newest,
    };
    (end - span, end)
}

/// What the chart counts: the filters without outcome and time.
pub fn filter(query: &Query, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Filter {
    Filter { outcomes: Vec::new(), from: Some(from), to: Some(to), ..query.filter.clone() }
}

/// The chart of these counts. `base` is the log's address.
pub fn chart(counts: &[HourBar], query: &Query, start: DateTime<Utc>, base: &str) -> Chart {
    let kept = query.text(&["from", "to"]);
    let bars = (0..HOURS).map(|hour| {
        let from = start + Duration::hours(hour);
        let to = from + Duration::hours(1);
        let href = format!("{base}?{kept}&from={}&to={}", minute(from), minute(to));
        let mut bar =
            Bar { from, to, counts: [0; Outcome::ALL.len()], href, faded: !inside(&query.filter, from, to) };
        for count in counts.iter().filter(|count| count.hour == from) {
            bar.add(count.outcome, count.count);
        }
        bar
    });
    Chart::new(bars.collect(), format!("{base}?{}", query.text(&["outcome"])))
}

/// The hour is in the range that the filters ask for.
fn inside(filter: &Filter, from: DateTime<Utc>, to: DateTime<Utc>) -> bool {
    filter.from.is_none_or(|start| start < to) && filter.to.is_none_or(|end| end > from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::hours(hour)
    }

    #[test]
    fn the_chart_ends_now_unless_another_day_is_asked_for() {
        let now = at(1000) + Duration::minutes(30);
        let asked = |from: Option<i64>, to: Option<i64>| {
            let (start, end) =
                range(&Filter { from: from.map(at), to: to.map(at), ..Filter::default() }, now);
            assert_eq!(end - start, Duration::hours(24));
            (end - DateTime::UNIX_EPOCH).num_hours()
        };
        assert_eq!(asked(None, None), 1001);
        assert_eq!(asked(Some(990), Some(991)), 1001);
        assert_eq!(asked(Some(500), Some(501)), 501);
        assert_eq!(asked(Some(500), None), 524);
        assert_eq!(asked(None, Some(500)), 500);
    }

    #[test]
    fn a_bar_narrows_the_log_to_its_hour_and_keeps_the_other_filters() {
        let query = Query::read("tool=x&from=1970-01-02T00%3A00&to=1970-01-02T01%3A00");
        let counts = [HourBar { hour: at(24), outcome: Outcome::Deny, count: 3 }];
        let chart = chart(&counts, &query, at(10), "/log");
        assert_eq!(chart.bars[0].href, "/log?tool=x&from=1970-01-01T10:00&to=1970-01-01T11:00");
        assert_eq!((chart.bars[14].total(), chart.bars[14].faded, chart.bars[13].faded), (3, false, true));
        assert_eq!(
            chart.legend()[0].href,
            "/log?tool=x&from=1970-01-02T00%3A00&to=1970-01-02T01%3A00&outcome=deny"
        );
    }
}
