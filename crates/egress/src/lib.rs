//! The only door to upstream servers: pooled client, address guard, no redirects.
