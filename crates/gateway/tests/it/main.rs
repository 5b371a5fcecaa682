//! The gateway on real sockets, before scripted upstreams, on a private Postgres and Redis.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod approval_waits;
mod approvals;
mod caller;
mod changes;
mod checklist;
mod client;
mod cost;
mod decisions;
mod desk;
mod forwarding;
mod gate;
mod held;
mod limits;
mod outages;
mod protocol_answers;
mod protocol_envelope;
mod protocol_errors;
mod protocol_forward;
mod protocol_lists;
mod protocol_polls;
mod protocol_questions;
mod protocol_rounds;
mod protocol_sessions;
mod protocol_streams;
mod protocol_surfaces;
mod protocol_tasks;
mod refusals;
mod server_settings;
mod sessions;
mod streams;
mod unknown;
mod world;
