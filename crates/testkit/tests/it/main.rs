//! Tests of the house itself: which crate may know which, which rules every file keeps, and whether the kit does what it says.

mod architecture;
mod source_rules;
mod upstream;
