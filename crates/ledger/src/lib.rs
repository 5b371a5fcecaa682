//! The only door to Redis: config epoch, quotas, decision stream.
