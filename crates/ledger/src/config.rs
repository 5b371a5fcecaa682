//! How the ledger is reached and bounded.

use std::time::Duration;

use domain::Clock;

/// The settings of a [`Ledger`](crate::Ledger).
#[derive(Clone, Debug)]
pub struct LedgerConfig {
    /// `redis://` or `rediss://` address of one server; `redis+cluster://a,b,c` of some nodes of a cluster;
    /// `redis+sentinel://a,b,c/name` of all sentinels and the primary's name; both also `rediss+…`. Never printed:
    /// it may hold a password.
    pub url: domain::Secret<String>,
    /// In front of every key, so that several installations can share a Redis: letters, digits, `-`, `_` and `.`.
    pub namespace: String,
    /// Entries a shard's stream may hold before calls are refused.
    pub stream_max: u64,
    /// How long one operation may take before it is given up as [`LedgerError::Timeout`](crate::LedgerError).
    pub timeout: Duration,
    /// How long a connection may take to stand.
    pub connect_timeout: Duration,
    /// The runtimes of threads that settle calls. Each has a connection of its own to each server, so that no answer has to
    /// go from thread to thread. Empty: whoever calls shares one connection.
    pub runtimes: Vec<tokio::runtime::Handle>,
    /// Whom `rediss` trusts, and what it shows.
    pub tls: LedgerTls,
    /// The user of the sentinels, where they have other users than `default`.
    pub sentinel_user: Option<String>,
    /// The password of the sentinels, where they want one.
    pub sentinel_password: Option<domain::Secret<String>>,
    /// [`Clock::System`]: Redis' own clock, the one that all gateways share. A manual clock stands in for it in
    /// tests.
    pub clock: Clock,
}

/// Certificates, in PEM.
#[derive(Clone, Debug, Default)]
pub struct LedgerTls {
    /// The only authorities that are trusted; none: the public ones.
    pub ca: Option<Vec<u8>>,
    /// Our own certificate, with the chain behind it, and its key.
    pub client: Option<(Vec<u8>, domain::Secret<Vec<u8>>)>,
}

impl LedgerTls {
    /// Whether nothing is set.
    pub(crate) fn is_default(&self) -> bool {
        self.ca.is_none() && self.client.is_none()
    }
}

impl LedgerConfig {
    /// The defaults: namespace `tollgate`, 100 000 entries a shard, 1 s, Redis' own clock.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: domain::Secret::new(url.into()),
            namespace: "tollgate".to_owned(),
            stream_max: 100_000,
            timeout: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            runtimes: Vec::new(),
            tls: LedgerTls::default(),
            sentinel_user: None,
            sentinel_password: None,
            clock: Clock::System,
        }
    }
}
