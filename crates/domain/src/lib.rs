//! Ids, names, roles and the clock: the words every other crate speaks.
//!
//! A value of a type from here has been checked once, where it came in; nobody checks it again. No I/O, and no
//! dependency on another crate of ours.

mod approval;
mod clock;
mod ids;
mod names;
mod outcome;
mod role;
mod secret;
mod surface;
mod upstream_url;

pub use approval::ApprovalState;
pub use clock::Clock;
pub use ids::{
    AdminEventId, ApiKeyId, ApprovalId, ConnectLinkId, ConnectionId, DecisionId, GrantId, IdError, PolicyId,
    ServerId, SessionId, TenantId, UserId,
};
pub use names::{Email, Identity, Label, NameError, Remark, Slug};
pub use outcome::Outcome;
pub use role::Role;
pub use secret::Secret;
pub use surface::{Surface, Surfaces};
pub use upstream_url::{UpstreamUrl, UpstreamUrlError};
