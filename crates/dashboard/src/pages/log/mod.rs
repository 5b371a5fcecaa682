//! `/o/{org}/log`: the list with its filters, the live tail, the export, and one decision.

pub mod advice;
pub mod chart;
pub mod decision;
pub mod export;
pub mod list;
pub mod live;
pub mod query;
