//! The data plane: `/mcp/{server}`. Knows who calls, judges the call, settles it, forwards it, and writes down how it
//! ended.
//!
//! A request walks through the modules in this order: `http`, `caller`, `directory`, `post` (or `bodiless`), `permit`
//! (which judges and settles), `upstream`, `relay`, `close`. Only a [settled allow](permit) makes a permit, and nothing is
//! forwarded without one.

mod approval;
mod arrival;
mod asked;
mod bodiless;
mod caller;
mod close;
mod counter;
mod denial;
mod directory;
mod hold;
mod http;
mod in_flight;
mod judge;
mod listed;
mod login;
mod metadata;
mod metrics;
mod noted;
mod origin;
mod permit;
mod pins;
mod post;
mod record;
mod refusal;
mod relay;
mod resume;
mod sessions;
mod state;
mod tasks;
mod trace;
mod unknown;
mod upstream;
mod watch;

pub use http::router;
pub use login::LoggedOut;
pub use metrics::Metrics;
pub use refusal::{Refusal, Refused};
pub use state::{GatewayParts, GatewaySettings, GatewayState};
pub use trace::{Finished, Sampler, Stretch, Telemetry, Trace};
