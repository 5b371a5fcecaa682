//! The policy language v1: read, compile, judge. Pure.
