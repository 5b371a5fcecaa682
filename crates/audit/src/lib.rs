//! Decisions: record, drain, search, export.
