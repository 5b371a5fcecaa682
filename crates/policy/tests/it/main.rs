//! The language through the crate's public surface.

mod case;
mod vectors;
