//! The one binary: configuration, wiring, roles, shutdown, command line.

fn main() {}
