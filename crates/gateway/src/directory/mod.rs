//! What a token may do: looked up in memory by its hash, read from Postgres on a miss.
//!
//! INVARIANT: what is remembered is only ever used for a call that the ledger then settles at its epoch, so a remembered
//! view can cost time but never let a call be judged by a state that was changed before it.

mod flight;
mod shared;
mod target;
mod view;

use std::sync::Arc;
use std::time::Duration;

use domain::ConnectionId;
use ledger::Ledger;
use oauth::Keeper;
use policy::Policy;
use quick_cache::sync::Cache;
use storage::directory::{self as stored, PolicyText};
use storage::{SealedConnection, Storage};
use tokio::sync::watch;
use tokio::time::Instant;
use vault::Keyring;

use self::flight::Flights;
use self::shared::Shared;
use self::target::Targets;
pub(crate) use self::target::{Target, Tool};
use self::view::Unusable;
pub(crate) use self::view::{GrantView, PolicyVersion, Rules};
use crate::login::{Connection, Login};

/// After this a view is read anew at its next use, whatever the epoch says: the bound on what nobody thought of.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How long a view that Postgres was asked about in vain goes on being used before Postgres is asked again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a caller waits for a read before Postgres counts as away.
const READ: Duration = Duration::from_secs(3);
/// How long where a view is remembered that does as well: a Postgres that hangs is felt by no more than this.
const LOOK: Duration = Duration::from_millis(250);
/// Views remembered; beyond it those make room that were not used for long. One takes some 600 bytes, less what grants
/// share: the server, its tools, and the compiled policy.
const MOST: usize = 250_000;

/// The directory of a gateway.
pub(crate) struct Directory {
    storage: Storage,
    keyring: Keyring,
    keeper: Keeper,
    ledger: Ledger,
    generation: watch::Receiver<u64>,
    views: Cache<[u8; 32], Entry>,
    targets: Targets,
    /// By the SHA-256 of their text: who judges by the same text judges the same.
    compiled: Shared<[u8; 32], Policy>,
    /// Every grant of a connection shares it, so that a newer token serves them all.
    connections: Shared<ConnectionId, Connection>,
    flights: Flights<Option<Arc<GrantView>>>,
}

#[derive(Clone)]
struct Entry {
    view: Arc<GrantView>,
    generation: u64,
    fresh_until: Instant,
}

/// A view, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub view: Arc<GrantView>,
    /// What [`ledger::Ledger::generation`] said before it was read.
    pub generation: u64,
    /// Whether it was remembered, and not read just now.
    pub remembered: bool,
}

/// Postgres can't say what the grant may do.
#[derive(Debug)]
pub(crate) struct Away;

impl Directory {
    pub fn new(storage: Storage, keyring: Keyring, keeper: Keeper, ledger: Ledger) -> Self {
        Self {
            storage,
            keyring,
            keeper,
            generation: ledger.generation(),
            ledger,
            views: Cache::new(MOST),
            targets: Targets::new(),
            compiled: Shared::new(),
            connections: Shared::new(),
            flights: Flights::new(),
        }
    }

    /// The grant of a token, remembered or read.
    pub async fn get(&self, token_hash: &[u8; 32]) -> Result<Option<Found>, Away> {
        let generation = *self.generation.borrow();
        let known = self.remembered(token_hash);
        if let Some((found, true)) = known {
            return Ok(Some(found));
        }
        let patience = if known.is_some() { LOOK } else { READ };
        match (self.read_within(patience, token_hash).await, known) {
            (Ok(Some(view)), _) => Ok(Some(Found { view, generation, remembered: false })),
            (Ok(None), _) => {
                self.views.remove(token_hash);
                Ok(None)
            }
            (Err(Away), Some((found, _))) => {
                self.keep(&found, RETRY);
                Ok(Some(found))
            }
            (Err(Away), None) => Err(Away),
        }
    }

    /// The grant of a token from a read that begins now. Remembers nothing.
    pub async fn read(&self, token_hash: &[u8; 32]) -> Result<Option<Arc<GrantView>>, Away> {
        self.read_within(READ, token_hash).await
    }

    /// The wait for reads of others is a part of the time: those that fail one after the other would add up.
    async fn read_within(
        &self,
        patience: Duration,
        token_hash: &[u8; 32],
    ) -> Result<Option<Arc<GrantView>>, Away> {
        // In a box of its own, which a call that finds its grant remembered has no room for.
        let reading = Box::pin(self.flights.read(*token_hash, async || self.load(token_hash).await));
        tokio::time::timeout(patience, reading).await.unwrap_or(Err(Away))
    }

    /// Keeps a view that the ledger has said may be used further.
    pub fn remember(&self, found: &Found) {
        let newer =
            |entry: &Entry| entry.generation >= found.generation && entry.view.epoch > found.view.epoch;
        // Where two do this at once the older may stay, until the ledger calls it stale.
        if !self.views.peek(&found.view.token_hash).as_ref().is_some_and(newer) {
            self.keep(found, REMEMBERED);
        }
    }

    fn keep(&self, found: &Found, fresh_for: Duration) {
        let entry = Entry {
            view: Arc::clone(&found.view),
            generation: found.generation,
            fresh_until: Instant::now() + fresh_for,
        };
        self.views.insert(found.view.token_hash, entry);
    }

    /// Views remembered.
    pub fn size(&self) -> usize {
        self.views.len()
    }

    /// A view that the Redis of its tenant has been there for all the time since, and whether it is fresh.
    fn remembered(&self, token_hash: &[u8; 32]) -> Option<(Found, bool)> {
        let stands = |entry: &Entry| entry.generation >= self.ledger.since(entry.view.tenant);
        let Entry { view, generation, fresh_until } = self.views.get(token_hash).filter(stands)?;
        Some((Found { view, generation, remembered: true }, fresh_until > Instant::now()))
    }

    async fn load(&self, token_hash: &[u8; 32]) -> Result<Option<Arc<GrantView>>, Away> {
        let reading = async { self.storage.system().await?.grant_view(token_hash).await };
        let stored = match reading.await {
            Ok(stored) => stored,
            Err(storage::Error::Away(_)) => return Err(Away),
            Err(error) => {
                tracing::error!(%error, "a grant can't be read");
                return Err(Away);
            }
        };
        let Some(stored) = stored else { return Ok(None) };
        let grant = stored.grant;
        let opened = self.targets.open(&stored, &self.keyring).and_then(|target| {
            let login = self.log_in(&stored.login)?;
            let rules = stored.policy.as_ref().map_or(Rules::None, |text| self.compile(text));
            Ok(GrantView::new(stored, *token_hash, target, login, rules))
        });
        match opened {
            Ok(view) => Ok(Some(Arc::new(view))),
            Err(error) => {
                tracing::error!(%grant, %error, "a grant can't be used");
                Err(Away)
            }
        }
    }

    fn log_in(&self, login: &stored::Login) -> Result<Login, Unusable> {
        Ok(match login {
            stored::Login::Headers => Login::Headers,
            stored::Login::Connection(connection) => Login::Connection(self.connection(connection)?),
            stored::Login::Missing { personal } => Login::Missing { personal: *personal },
        })
    }

    /// The connection that is in use already, with the newer of both tokens; or this one.
    fn connection(&self, stored: &SealedConnection) -> Result<Arc<Connection>, Unusable> {
        let token = self.keeper.open(stored)?;
        let new = Connection::new(stored.tenant, stored.id, token.clone(), stored.trouble.as_deref());
        let connection = self.connections.join(stored.id, new);
        connection.take(token);
        Ok(connection)
    }

    fn compile(&self, text: &PolicyText) -> Rules {
        let version = PolicyVersion { id: text.id, name: text.name.clone(), version: text.version };
        let digest = vault::sha256(text.document.as_bytes());
        if let Some(policy) = self.compiled.get(&digest) {
            return Rules::Read(version, policy);
        }
        // Compiled outside of any lock: a large document takes a while.
        match Policy::read(text.document.as_bytes()) {
            Ok(policy) => Rules::Read(version, self.compiled.join(digest, policy)),
            Err(_) => Rules::Unreadable(version),
        }
    }
}
