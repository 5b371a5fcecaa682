//! A grant with all that its calls are judged and forwarded with, opened and compiled.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{GrantId, PolicyId, ServerId, Surfaces, TenantId};
use policy::Policy;
use storage::directory as stored;

use super::target::Target;
use crate::login::Login;

/// A grant as it stood at an epoch of its tenant's configuration.
pub(crate) struct GrantView {
    pub tenant: TenantId,
    /// The epoch that all of this was read at.
    pub epoch: u64,
    /// SHA-256 of the token that was presented.
    pub token_hash: [u8; 32],
    pub grant: GrantId,
    pub label: String,
    pub identity: String,
    pub expires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub server: ServerId,
    /// That server; its grants share it.
    pub target: Arc<Target>,
    /// What the upstream is logged in to with, beside the server's headers.
    pub login: Login,
    pub rules: Rules,
    /// What the policy opens beside tools.
    pub surfaces: Surfaces,
}

/// What judges the calls of a grant.
pub(crate) enum Rules {
    /// Nothing does: every call is denied.
    None,
    /// The document can't be read: every call is denied.
    Unreadable(PolicyVersion),
    /// A policy.
    Read(PolicyVersion, Arc<Policy>),
}

/// Which policy it is.
#[derive(Clone)]
pub(crate) struct PolicyVersion {
    pub id: PolicyId,
    pub name: String,
    pub version: u32,
}

/// Why a grant that was found can't be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error("a stored upstream address can't be read")]
    Address,
    #[error("what is stored for the upstream can't be used: {0}")]
    Header(#[from] vault::Error),
    #[error("a stored upstream header is no header")]
    NotAHeader,
}

impl GrantView {
    /// What was read, with what is shared with other grants: the server, its login, the compiled policy.
    pub fn new(
        stored: stored::GrantView,
        token_hash: [u8; 32],
        target: Arc<Target>,
        login: Login,
        rules: Rules,
    ) -> Self {
        Self {
            tenant: stored.tenant,
            epoch: stored.epoch,
            token_hash,
            grant: stored.grant,
            label: stored.grant_label,
            identity: stored.identity,
            expires_at: stored.expires_at,
            revoked_at: stored.revoked_at,
            server: stored.server,
            target,
            login,
            surfaces: rules.surfaces(),
            rules,
        }
    }

    /// Why the grant does not work at this time, in a word for the log.
    pub fn refused(&self, now: DateTime<Utc>) -> Option<&'static str> {
        if self.revoked_at.is_some_and(|at| at <= now) {
            Some("revoked token")
        } else if self.expires_at.is_some_and(|at| at <= now) {
            Some("expired token")
        } else {
            None
        }
    }

    /// Whether `tools/list` shows the tool.
    pub fn shows(&self, tool: &str) -> bool {
        matches!(&self.rules, Rules::Read(_, policy) if policy.shows(tool))
    }

    /// Whether the policy hides any tool.
    pub fn hides_tools(&self) -> bool {
        matches!(&self.rules, Rules::Read(_, policy) if policy.hides_tools())
    }

    /// Whether a tool's definition is another than the one that was approved, where that matters. One that was never seen is.
    pub fn changed(&self, tool: &str) -> bool {
        self.target.pins_tools && !self.target.tools.get(tool).is_some_and(|tool| tool.approved)
    }

    /// Whether a tool is approved, and yet not as the upstream lists it now.
    pub fn redefined(&self, name: &str, listed: &json::Value<'_>) -> bool {
        let approved = self.target.tools.get(name).filter(|tool| tool.approved && self.target.pins_tools);
        approved.is_some_and(|tool| !tool.is_defined_as(listed))
    }

    /// Whether what is open under `self` may stay open under `later`, the same grant read anew.
    pub fn same_rules(&self, later: &Self) -> bool {
        let version = |view: &Self| view.rules.version().map(|policy| (policy.id, policy.version));
        self.server == later.server
            && self.target.upstream == later.target.upstream
            && self.target.custom_methods == later.target.custom_methods
            && version(self) == version(later)
    }
}

impl Rules {
    fn surfaces(&self) -> Surfaces {
        match self {
            Self::None | Self::Unreadable(_) => Surfaces::NONE,
            Self::Read(_, policy) => policy.surfaces(),
        }
    }

    /// Which policy judges.
    pub fn version(&self) -> Option<&PolicyVersion> {
        match self {
            Self::None => None,
            Self::Unreadable(version) | Self::Read(version, _) => Some(version),
        }
    }
}

impl fmt::Debug for GrantView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantView")
            .field("grant", &self.grant)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
