//! The only door to Postgres for the control plane.
