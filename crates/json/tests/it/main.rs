//! The parser through its public surface.

mod faults;
mod properties;
mod values;
