//! Tests of the house itself: which crate may know which, and which rules every file keeps.

mod architecture;
mod source_rules;
