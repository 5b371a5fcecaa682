//! The spans over which a limit counts.

/// A span of time over which charges are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Window {
    /// Never more than the limit in ANY span of this many seconds (1 to 2 678 400).
    Sliding {
        /// Length of the span.
        seconds: u32,
    },
    /// Starts anew every so many seconds, counted from the Unix epoch: 60 is the UTC minute, 86 400 the UTC day.
    Calendar {
        /// Length of the span.
        seconds: u32,
    },
    /// Starts anew at the first of each month, 00:00 UTC.
    CalendarMonth,
}
