//! Keys, tokens, password hashes, JWT, sealed credentials, randomness.
