//! One test per refusal.
