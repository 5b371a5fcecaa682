//! What templates say things with: filters, charts, lines of a document. No I/O; nothing here knows a page.

pub mod approvals;
pub mod chart;
pub mod filters;
pub mod lines;
pub mod prose;
pub mod rules;
