//! A grant with all that its calls are judged and forwarded with, opened and compiled.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};
use domain::{GrantId, PolicyId, ServerId, Surfaces, TenantId};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use mcp::headers::ParamHeaders;
use policy::{ArgumentSchema, Policy};
use storage::directory as stored;
use vault::{Keyring, Place};

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
    pub server_name: String,
    pub upstream: Uri,
    /// What the upstream is called with. Marked sensitive, so that no log shows them.
    pub credentials: HeaderMap,
    /// And what it is logged in to with.
    pub login: Login,
    pub rules: Rules,
    /// What the policy opens beside tools.
    pub surfaces: Surfaces,
    /// Methods that no revision knows and the server's settings let pass.
    pub custom_methods: Vec<String>,
    /// Tools are held to the definitions that were approved.
    pub pins_tools: bool,
    pub tools: HashMap<String, Tool>,
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

/// A tool as last seen at the upstream. Most are never called, so they are compiled at their first call.
pub(crate) struct Tool {
    /// Its definition is the one that was approved.
    approved: bool,
    /// SHA-256 of what it says of itself, where tools are pinned; none when that can't be told.
    definition: Option<[u8; 32]>,
    schema: serde_json::Value,
    arguments: OnceLock<Option<ArgumentSchema>>,
    headers: OnceLock<ParamHeaders>,
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
    /// Opens what was sealed; the policy is compiled by `compile`.
    pub fn open(
        stored: stored::GrantView,
        token_hash: [u8; 32],
        keyring: &Keyring,
        login: Login,
        compile: impl FnOnce(&stored::PolicyText) -> Rules,
    ) -> Result<Self, Unusable> {
        let credentials = open_credentials(&stored, keyring)?;
        let rules = stored.policy.as_ref().map_or(Rules::None, compile);
        let tools = stored.tools.into_iter().map(|tool| (tool.name.clone(), Tool::new(tool))).collect();
        Ok(Self {
            tenant: stored.tenant,
            epoch: stored.epoch,
            token_hash,
            grant: stored.grant,
            label: stored.grant_label,
            identity: stored.identity,
            expires_at: stored.expires_at,
            revoked_at: stored.revoked_at,
            server: stored.server,
            server_name: stored.server_name,
            upstream: stored.upstream_url.parse().map_err(|_| Unusable::Address)?,
            credentials,
            surfaces: rules.surfaces(),
            custom_methods: stored.custom_methods,
            pins_tools: stored.pin_tools,
            login,
            rules,
            tools,
        })
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

    /// Whether a tool's definition is another than the one that was approved, where that matters. One that was never seen is.
    pub fn changed(&self, tool: &str) -> bool {
        self.pins_tools && !self.tools.get(tool).is_some_and(|tool| tool.approved)
    }

    /// Whether a tool is approved, and yet not as the upstream lists it now.
    pub fn redefined(&self, name: &str, listed: &json::Value<'_>) -> bool {
        let approved = self.tools.get(name).filter(|tool| tool.approved && self.pins_tools);
        approved.is_some_and(|tool| tool.definition.is_none() || tool.definition != definition(listed))
    }

    /// Whether what is open under `self` may stay open under `later`, the same grant read anew.
    pub fn same_rules(&self, later: &Self) -> bool {
        let version = |view: &Self| view.rules.version().map(|policy| (policy.id, policy.version));
        self.server == later.server
            && self.upstream == later.upstream
            && self.custom_methods == later.custom_methods
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

impl Tool {
    fn new(stored: stored::ToolSchema) -> Self {
        let definition = stored.words.is_object().then(|| {
            let mut whole = stored.words;
            whole["inputSchema"] = stored.input_schema.clone();
            let text = whole.to_string();
            json::parse(text.as_bytes(), json::MAX_DEPTH).ok().and_then(|whole| definition(&whole))
        });
        Self {
            approved: stored.approved,
            definition: definition.flatten(),
            schema: stored.input_schema,
            arguments: OnceLock::new(),
            headers: OnceLock::new(),
        }
    }

    /// What its arguments are validated against; none when the upstream's schema can't be used.
    pub fn arguments(&self) -> Option<&ArgumentSchema> {
        self.arguments.get_or_init(|| ArgumentSchema::compile(&self.schema).ok()).as_ref()
    }

    /// The arguments that headers must mirror.
    pub fn headers(&self) -> &ParamHeaders {
        self.headers.get_or_init(|| ParamHeaders::of(&self.schema))
    }
}

/// SHA-256 of what a tool says of itself.
fn definition(tool: &json::Value<'_>) -> Option<[u8; 32]> {
    mcp::definition::canonical(tool).map(|text| vault::sha256(text.as_bytes()))
}

fn open_credentials(stored: &stored::GrantView, keyring: &Keyring) -> Result<HeaderMap, Unusable> {
    let mut headers = HeaderMap::with_capacity(stored.headers.len());
    for header in &stored.headers {
        let place =
            Place::UpstreamHeader { tenant: stored.tenant, server: stored.server, name: &header.name };
        let opened = keyring.open(&header.sealed, place)?;
        let name = HeaderName::try_from(header.name.as_str()).map_err(|_| Unusable::NotAHeader)?;
        let mut value = HeaderValue::from_bytes(opened.expose()).map_err(|_| Unusable::NotAHeader)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

impl fmt::Debug for GrantView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantView")
            .field("grant", &self.grant)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
