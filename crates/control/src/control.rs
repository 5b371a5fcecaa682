//! What the operations work with, handed in once by the binary.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{Clock, Secret, UpstreamUrl};
use ledger::Ledger;
use storage::Storage;
use tokio::sync::Semaphore;
use vault::{Entropy, Keyring, jwt};

use crate::{CatalogueEntry, Error, catalogue};

/// Passwords that are hashed at once. Each takes 19 MiB and some tens of milliseconds of a core; more of them wait.
const PASSWORDS_AT_ONCE: usize = 4;

/// What a [`Control`] is built from.
#[derive(Clone)]
pub struct ControlParts {
    /// Postgres, as the application.
    pub storage: Storage,
    /// Redis.
    pub ledger: Ledger,
    /// Seals upstream credentials and grant tokens.
    pub keyring: Keyring,
    /// Signs access tokens.
    pub signer: jwt::Signer,
    /// Looks at upstreams.
    pub egress: egress::Client,
    /// What time it is.
    pub clock: Clock,
    /// Ids and tokens.
    pub entropy: Entropy,
    /// Where people and clients reach this installation, without a path: `https://tollgate.example`.
    pub public_url: String,
    /// Whether authorization servers can read this installation's metadata at `public_url`. Where they can't, it registers itself
    /// with them instead.
    pub client_metadata: bool,
    /// Where the demo server is, when there is one.
    pub demo_upstream: Option<UpstreamUrl>,
}

/// The control plane. Cheap to clone.
#[derive(Clone)]
pub struct Control {
    inner: Arc<Inner>,
}

struct Inner {
    parts: ControlParts,
    catalogue: Vec<CatalogueEntry>,
    passwords: Semaphore,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("public_url", &self.inner.parts.public_url).finish_non_exhaustive()
    }
}

impl Control {
    /// A control plane over these parts.
    pub fn new(mut parts: ControlParts) -> Self {
        parts.public_url.truncate(parts.public_url.trim_end_matches('/').len());
        let catalogue = catalogue::entries(parts.demo_upstream.as_ref());
        let passwords = Semaphore::new(PASSWORDS_AT_ONCE);
        Self { inner: Arc::new(Inner { parts, catalogue, passwords }) }
    }

    /// What can be registered with one click.
    pub fn catalogue(&self) -> &[CatalogueEntry] {
        &self.inner.catalogue
    }

    pub(crate) fn parts(&self) -> &ControlParts {
        &self.inner.parts
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.inner.parts.clock.now()
    }

    pub(crate) fn id<T: From<uuid::Uuid>>(&self) -> T {
        self.inner.parts.entropy.id(self.now())
    }

    /// The PHC string of a password, made on a thread that may be blocked.
    pub(crate) async fn hash_password(&self, password: &Secret<String>) -> Result<String, Error> {
        let (password, entropy) = (password.clone(), self.parts().entropy.clone());
        self.with_password(move || vault::password::hash(&password, &entropy)).await
    }

    /// Whether the password is the one behind `stored`; as slow when nothing is stored.
    pub(crate) async fn verify_password(
        &self,
        password: &Secret<String>,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let password = password.clone();
        self.with_password(move || vault::password::verify(&password, stored.as_deref())).await
    }

    async fn with_password<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, vault::Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _slot = self.inner.passwords.acquire().await.map_err(Error::internal)?;
        let done = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
        Ok(done?)
    }
}
