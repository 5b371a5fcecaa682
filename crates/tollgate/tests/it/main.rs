//! The product as a whole: its own binary over loopback, in front of the demo upstream.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreement;
mod alerts;
mod approvals;
mod approving;
mod bridge;
mod bytes;
mod caller;
mod changes;
mod clients;
mod conformance;
mod differential;
mod editor;
mod evidence;
mod fixtures;
#[path = "../../../policy/tests/it/generate.rs"]
mod generate;
mod killed;
mod kills;
mod limits;
mod metrics;
mod oauth_scenarios;
mod odd;
mod outages;
mod pages;
mod pivots;
mod proxies;
mod redis_nodes;
mod rolling;
mod same;
mod stack;
mod stale;
mod telemetry;
mod texts;
mod upstream_log;
mod upstream_login;
mod versions;
mod walk;
