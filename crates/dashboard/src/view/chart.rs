//! Charts as SVG, drawn on the server: stacked bars by outcome, sparklines, meters. Numbers only; colours are classes.

use chrono::{DateTime, Utc};
use domain::Outcome;

/// The drawing is this high; its width is one unit a bar, and both are stretched by the page.
const HEIGHT: f64 = 100.0;

/// How many requests of one hour had which outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    /// The hour's beginning.
    pub from: DateTime<Utc>,
    /// The next hour's.
    pub to: DateTime<Utc>,
    /// In the order of [`Outcome::ALL`].
    pub counts: [u64; Outcome::ALL.len()],
    /// Where the page goes when the bar is chosen.
    pub href: String,
    /// It is outside of the hours that are asked for.
    pub faded: bool,
}

/// A stacked bar chart with four ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// Oldest first.
    pub bars: Vec<Bar>,
    /// An address that narrows the log; `&outcome=` and a word are put behind it.
    log: String,
    /// The highest tick.
    top: u64,
}

/// An outcome that occurs in a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Decides word, colour and symbol.
    pub outcome: Outcome,
    /// How often in all bars.
    pub count: u64,
    /// Where the page goes when it is chosen.
    pub href: String,
}

/// One piece of a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// Decides the colour.
    pub outcome: Outcome,
    /// From the top of the drawing.
    pub y: f64,
    /// Downwards.
    pub height: f64,
}

impl Bar {
    /// All requests of the hour.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds requests with one outcome.
    pub fn add(&mut self, outcome: Outcome, count: u64) {
        for (each, counted) in Outcome::ALL.iter().zip(&mut self.counts) {
            if *each == outcome {
                *counted += count;
            }
        }
    }

    /// Requests with one outcome.
    pub fn of(&self, outcome: Outcome) -> u64 {
        Outcome::ALL.iter().zip(self.counts).find(|(each, _)| **each == outcome).map_or(0, |(_, count)| count)
    }

    /// `14:00`
    pub fn hour(&self) -> String {
        self.from.format("%H:%M").to_string()
    }

    /// What a pointer that rests on the bar is told.
    pub fn title(&self) -> String {
        let parts = Outcome::ALL.iter().zip(self.counts).filter(|(_, count)| *count > 0);
        let words: Vec<_> = parts.map(|(outcome, count)| format!("{count} {outcome}")).collect();
        let words = if words.is_empty() { "no calls".to_owned() } else { words.join(", ") };
        format!("{}–{} UTC: {words}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}

impl Chart {
    /// A chart of these bars. Its highest tick is a round number that four divides, at or above the highest bar.
    pub fn new(bars: Vec<Bar>, log: String) -> Self {
        let highest = bars.iter().map(Bar::total).max().unwrap_or(0).max(4);
        let mut step = 1_u64;
        let top = loop {
            let fits = [1, 2, 5].into_iter().map(|n| n * step * 4).find(|top| *top >= highest);
            match fits {
                Some(top) => break top,
                None => step = step.saturating_mul(10),
            }
        };
        Self { bars, log, top }
    }

    /// The four ticks above zero, and zero, upwards.
    pub fn ticks(&self) -> [u64; 5] {
        [0, 1, 2, 3, 4].map(|n| self.top / 4 * n)
    }

    /// Where the lines of the ticks are, downwards.
    pub const LINES: [f64; 5] = [0.0, HEIGHT / 4.0, HEIGHT / 2.0, HEIGHT * 0.75, HEIGHT];

    /// The pieces of a bar, the first outcome at the bottom.
    pub fn pieces(&self, bar: &Bar) -> Vec<Piece> {
        let mut y = HEIGHT;
        let stacked = Outcome::ALL.into_iter().zip(bar.counts).filter(|(_, count)| *count > 0);
        stacked
            .map(|(outcome, count)| {
                let height = share(count, self.top) * HEIGHT;
                y -= height;
                Piece { outcome, y, height }
            })
            .collect()
    }

    /// The outcomes that occur, with how often.
    pub fn legend(&self) -> Vec<Entry> {
        let sum = |outcome: Outcome| self.bars.iter().map(|bar| bar.of(outcome)).sum();
        let entry = |outcome: Outcome| {
            let href = format!("{}&outcome={outcome}", self.log);
            Entry { outcome, count: sum(outcome), href }
        };
        Outcome::ALL.into_iter().map(entry).filter(|entry| entry.count > 0).collect()
    }

    /// All requests.
    pub fn total(&self) -> u64 {
        self.bars.iter().map(Bar::total).sum()
    }
}

/// Heights of a sparkline's bars, at most `height`; something is never drawn as nothing.
pub fn spark(counts: &[u64], height: f64) -> Vec<f64> {
    let top = counts.iter().copied().max().unwrap_or(0).max(1);
    counts
        .iter()
        .map(|count| if *count == 0 { 0.0 } else { (share(*count, top) * height).max(1.0) })
        .collect()
}

/// `part` of `whole`, 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a drawing needs three digits, a f64 has fifteen")]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(totals: &[u64]) -> Chart {
        let bar = |count: &u64| Bar {
            from: DateTime::UNIX_EPOCH,
            to: DateTime::UNIX_EPOCH,
            counts: [*count, 0, 0, 0, 0, 0, 0, 0],
            href: String::new(),
            faded: false,
        };
        Chart::new(totals.iter().map(bar).collect(), "/log?x=y".to_owned())
    }

    #[test]
    fn ticks_are_round_and_reach_the_highest_bar() {
        assert_eq!(chart(&[]).ticks(), [0, 1, 2, 3, 4]);
        assert_eq!(chart(&[9]).ticks(), [0, 5, 10, 15, 20]);
        assert_eq!(chart(&[81]).ticks(), [0, 50, 100, 150, 200]);
        assert_eq!(chart(&[4_000_000]).ticks()[4], 4_000_000);
    }

    #[test]
    fn pieces_stand_on_each_other() {
        let mut chart = chart(&[1]);
        chart.bars[0].counts = [1, 2, 0, 0, 0, 0, 0, 0];
        let pieces = chart.pieces(&chart.bars[0]);
        assert_eq!(pieces[0], Piece { outcome: Outcome::Allow, y: 75.0, height: 25.0 });
        assert_eq!(pieces[1], Piece { outcome: Outcome::Deny, y: 25.0, height: 50.0 });
        let legend: Vec<_> = chart.legend().into_iter().map(|entry| (entry.count, entry.href)).collect();
        assert_eq!(
            legend,
            [(1, "/log?x=y&outcome=allow".to_owned()), (2, "/log?x=y&outcome=deny".to_owned())]
        );
    }

    #[test]
    fn something_is_never_drawn_as_nothing() {
        assert_eq!(spark(&[0, 1, 1000], 24.0), [0.0, 1.0, 24.0]);
    }
}
