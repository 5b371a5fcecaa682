//! Strict JSON: what two parsers could read differently is refused.
