//! Development only: private Postgres and Redis, fixtures, the architecture test.
