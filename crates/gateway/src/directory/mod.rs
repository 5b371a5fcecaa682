//! What a token may do: looked up in memory by its hash, read from Postgres on a miss.
//!
//! INVARIANT: what is remembered is only ever used for a call that the ledger then settles at its epoch, so a remembered
//! view can cost time but never let a call be judged by a state that was changed before it.

mod flight;
mod view;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use domain::{ConnectionId, PolicyId};
use ledger::Ledger;
use oauth::Keeper;
use policy::Policy;
use storage::directory::{self as stored, PolicyText};
use storage::{SealedConnection, Storage};
use tokio::sync::watch;
use tokio::time::Instant;
use vault::Keyring;

use self::flight::Flights;
use self::view::Unusable;
pub(crate) use self::view::{GrantView, PolicyVersion, Rules, Tool};
use crate::login::{Connection, Login};

/// After this a view is read anew at its next use, whatever the epoch says: the bound on what nobody thought of.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How long a view that Postgres was asked about in vain goes on being used before Postgres is asked again.
const RETRY: Duration = Duration::from_secs(5);
/// How long a read may take before Postgres counts as away.
const READ: Duration = Duration::from_secs(3);
/// Views remembered; beyond it new ones are not remembered until old ones have gone.
const MOST: usize = 50_000;

/// The directory of a gateway.
pub(crate) struct Directory {
    storage: Storage,
    keyring: Keyring,
    keeper: Keeper,
    ledger: Ledger,
    generation: watch::Receiver<u64>,
    views: RwLock<HashMap<[u8; 32], Entry>>,
    /// Versions of policies are written once, so a compiled one serves every grant, and every epoch.
    compiled: Mutex<HashMap<(PolicyId, u32), Weak<Policy>>>,
    /// Every grant of a connection shares it, so that a newer token serves them all.
    connections: Mutex<HashMap<ConnectionId, Weak<Connection>>>,
    flights: Flights<Option<Arc<GrantView>>>,
}

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
            views: RwLock::default(),
            compiled: Mutex::default(),
            connections: Mutex::default(),
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
        match (self.read(token_hash).await, known) {
            (Ok(Some(view)), _) => Ok(Some(Found { view, generation, remembered: false })),
            (Ok(None), _) => {
                self.forget(token_hash);
                Ok(None)
            }
            (Err(Away), Some((found, _))) => {
                self.postpone(token_hash);
                Ok(Some(found))
            }
            (Err(Away), None) => Err(Away),
        }
    }

    /// The grant of a token from a read that begins now. Remembers nothing.
    pub async fn read(&self, token_hash: &[u8; 32]) -> Result<Option<Arc<GrantView>>, Away> {
        self.flights.read(*token_hash, async || self.load(token_hash).await).await
    }

    /// Keeps a view that the ledger has said may be used further.
    pub fn remember(&self, found: &Found) {
        let now = Instant::now();
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        if views.len() >= MOST {
            views.retain(|_, entry| self.stands(entry) && entry.fresh_until > now);
        }
        let newer =
            |entry: &Entry| entry.generation >= found.generation && entry.view.epoch > found.view.epoch;
        if views.len() < MOST && !views.get(&found.view.token_hash).is_some_and(newer) {
            let entry = Entry {
                view: Arc::clone(&found.view),
                generation: found.generation,
                fresh_until: now + REMEMBERED,
            };
            views.insert(found.view.token_hash, entry);
        }
    }

    /// A view that the Redis of its tenant has been there for all the time since, and whether it is fresh.
    fn remembered(&self, token_hash: &[u8; 32]) -> Option<(Found, bool)> {
        let views = self.views.read().unwrap_or_else(PoisonError::into_inner);
        let entry = views.get(token_hash).filter(|entry| self.stands(entry))?;
        let (view, generation) = (Arc::clone(&entry.view), entry.generation);
        Some((Found { view, generation, remembered: true }, entry.fresh_until > Instant::now()))
    }

    fn stands(&self, entry: &Entry) -> bool {
        entry.generation >= self.ledger.since(entry.view.tenant)
    }

    fn forget(&self, token_hash: &[u8; 32]) {
        self.views.write().unwrap_or_else(PoisonError::into_inner).remove(token_hash);
    }

    fn postpone(&self, token_hash: &[u8; 32]) {
        let mut views = self.views.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = views.get_mut(token_hash) {
            entry.fresh_until = Instant::now() + RETRY;
        }
    }

    async fn load(&self, token_hash: &[u8; 32]) -> Result<Option<Arc<GrantView>>, Away> {
        let reading = async { self.storage.system().await?.grant_view(token_hash).await };
        let stored = match tokio::time::timeout(READ, reading).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(storage::Error::Away(_))) | Err(_) => return Err(Away),
            Ok(Err(error)) => {
                tracing::error!(%error, "a grant can't be read");
                return Err(Away);
            }
        };
        let Some(stored) = stored else { return Ok(None) };
        let grant = stored.grant;
        let opened = self.log_in(&stored.login).and_then(|login| {
            GrantView::open(stored, *token_hash, &self.keyring, login, |text| self.compile(text))
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
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = connections.get(&stored.id).and_then(Weak::upgrade) {
            known.take(token);
            return Ok(known);
        }
        let connection = Arc::new(Connection::new(stored.tenant, stored.id, token));
        connections.retain(|_, connection| connection.strong_count() > 0);
        connections.insert(stored.id, Arc::downgrade(&connection));
        Ok(connection)
    }

    fn compile(&self, text: &PolicyText) -> Rules {
        let version = PolicyVersion { id: text.id, name: text.name.clone(), version: text.version };
        let key = (text.id, text.version);
        let known =
            self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key).and_then(Weak::upgrade);
        if let Some(policy) = known {
            return Rules::Read(version, policy);
        }
        // Compiled outside of the lock: a large document takes a while.
        match Policy::read(text.document.as_bytes()) {
            Ok(policy) => {
                let policy = Arc::new(policy);
                let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
                compiled.retain(|_, policy| policy.strong_count() > 0);
                compiled.insert(key, Arc::downgrade(&policy));
                Rules::Read(version, policy)
            }
            Err(_) => Rules::Unreadable(version),
        }
    }
}
