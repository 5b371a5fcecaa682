//! Keeps the tokens of connections: opens them, and renews them so that no refresh token is ever used twice.
//!
//! INVARIANT: newer tokens are stored before anybody is given them. Whoever renews holds a lease in the connection's row,
//! so that of all replicas one asks; the others read what it stored.

use std::time::Duration;

use domain::{Clock, ConnectionId, ServerId, TenantId};
use storage::{RenewedRow, SealedConnection, Storage};
use tokio::time::{Instant, sleep};
use tokio_util::task::TaskTracker;
use vault::{Entropy, Keyring, Place};

use crate::authorize::Pending;
use crate::client::Client;
use crate::discover::Discovery;
use crate::error::Error;
use crate::kept::{Kept, Token};
use crate::scope::Scopes;
use crate::token::{self, Desk, Endpoint, Granted};

/// How long a renewal may take. Longer than an authorization server is waited for, so that nobody else begins before.
const LEASE: Duration = Duration::from_secs(30);
/// How long somebody else's renewal is waited for, and how often it is looked at.
const PATIENCE: Duration = Duration::from_secs(15);
const GLANCE: Duration = Duration::from_millis(50);
/// How often the store is tried. Were it given up, a refresh token that replaced another one would be lost.
const ATTEMPTS: u32 = 5;
/// What is said of a connection that nothing renews.
const UNRENEWABLE: &str = "its tokens can't be renewed";

/// Opens and renews. Cheap to clone.
#[derive(Clone)]
pub struct Keeper {
    /// Where connections are.
    pub storage: Storage,
    /// Opens and seals them.
    pub keyring: Keyring,
    /// Calls authorization servers.
    pub egress: egress::Client,
    /// What time it is.
    pub clock: Clock,
    /// For sealing.
    pub entropy: Entropy,
    /// Where renewals run: who asked for one may go away, and what the authorization server gave must be stored.
    pub tasks: TaskTracker,
}

/// Why there is no newer token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// Somebody has to connect again. The words say why.
    #[error("{0}")]
    Ended(String),
    /// It is refused now, and may be mended at the authorization server: it is asked again after a while.
    #[error("{0}")]
    Refused(String),
    /// The connection is not there any more.
    #[error("the connection was ended")]
    Gone,
    /// It may work in a moment.
    #[error("{0}")]
    Away(String),
}

impl Keeper {
    /// The tokens of a new connection, sealed for it.
    pub fn seal(
        &self,
        place: Place<'_>,
        pending: &Pending,
        granted: &Granted,
    ) -> Result<Vec<u8>, vault::Error> {
        let kept = Kept {
            access: granted.access.clone(),
            refresh: granted.refresh.clone(),
            client: pending.client.clone(),
            token_endpoint: pending.token_endpoint.as_str().to_owned(),
            revocation_endpoint: pending.revocation_endpoint.as_ref().map(|url| url.as_str().to_owned()),
            resource: pending.resource.clone(),
            own: None,
        };
        self.keyring.seal(&kept.to_bytes(), place, &self.entropy)
    }

    /// The token of a new connection that is the client's own, sealed for it.
    pub fn seal_own(
        &self,
        place: Place<'_>,
        discovery: &Discovery,
        client: &Client,
        scopes: &Scopes,
        granted: &Granted,
    ) -> Result<Vec<u8>, vault::Error> {
        let server = &discovery.server;
        let kept = Kept {
            access: granted.access.clone(),
            refresh: None,
            client: client.clone(),
            token_endpoint: server.token_endpoint.as_str().to_owned(),
            revocation_endpoint: server.revocation_endpoint.as_ref().map(|url| url.as_str().to_owned()),
            resource: discovery.resource.clone(),
            own: Some(scopes.clone()),
        };
        self.keyring.seal(&kept.to_bytes(), place, &self.entropy)
    }

    /// What authorization servers are asked with.
    pub fn desk(&self) -> Desk<'_> {
        Desk { egress: &self.egress, now: self.clock.now(), entropy: &self.entropy }
    }

    /// The access token of a connection.
    pub fn open(&self, stored: &SealedConnection) -> Result<Token, vault::Error> {
        let kept = self.kept(stored)?;
        let header = kept.header().ok_or(vault::Error::Tampered)?;
        Ok(Token {
            header,
            version: stored.version,
            obtained_at: stored.obtained_at,
            expires_at: stored.expires_at,
            renewable: stored.renewable,
        })
    }

    pub(crate) fn kept(&self, stored: &SealedConnection) -> Result<Kept, vault::Error> {
        let opened = self.keyring.open(&stored.sealed, place(stored))?;
        Kept::read(opened.expose()).ok_or(vault::Error::Tampered)
    }

    /// A token that can be used now, of a server's connection for `identity` (empty: the organisation's); none where
    /// there is no connection.
    pub async fn current(
        &self,
        tenant: TenantId,
        server: ServerId,
        identity: &str,
    ) -> Result<Option<Token>, RenewError> {
        let mut tx = self.storage.system().await?;
        let stored = tx.sealed_connection_of(tenant, server, identity).await?;
        tx.commit().await?;
        let Some(stored) = stored else { return Ok(None) };
        let token = self.open(&stored)?;
        if !token.ends_soon(self.clock.now()) {
            return Ok(Some(token));
        }
        if !token.renewable {
            return if token.ended(self.clock.now()) { Err(ended(&stored)) } else { Ok(Some(token)) };
        }
        self.renew(tenant, stored.id, stored.version).await.map(Some)
    }

    /// Another token than that of version `seen`: what somebody else stored by now, or one asked for. Runs to its end
    /// even if nobody waits for it any more.
    pub async fn renew(&self, tenant: TenantId, id: ConnectionId, seen: i64) -> Result<Token, RenewError> {
        let keeper = self.clone();
        let renewing = self.tasks.spawn(async move { keeper.renew_or_wait(tenant, id, seen).await });
        renewing.await.unwrap_or_else(|_| Err(RenewError::Away("the renewal was broken off".to_owned())))
    }

    async fn renew_or_wait(
        &self,
        tenant: TenantId,
        id: ConnectionId,
        seen: i64,
    ) -> Result<Token, RenewError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut tx = self.storage.system().await?;
            let seconds = i32::try_from(LEASE.as_secs()).unwrap_or(i32::MAX);
            let taken = tx.take_renewal(tenant, id, seen, seconds).await?;
            let known = match &taken {
                Some(_) => None,
                None => tx.sealed_connection(tenant, id).await?,
            };
            tx.commit().await?;
            match (taken, known) {
                (Some(stored), _) => return self.ask(stored).await,
                (None, None) => return Err(RenewError::Gone),
                (None, Some(known)) if known.version != seen => return Ok(self.open(&known)?),
                (None, Some(known)) if !known.renewable => return Err(ended(&known)),
                (None, Some(_)) if Instant::now() >= deadline => {
                    return Err(RenewError::Away(
                        "its authorization server takes too long to answer".to_owned(),
                    ));
                }
                (None, Some(_)) => sleep(GLANCE).await,
            }
        }
    }

    /// Asks the authorization server, as the one who may.
    async fn ask(&self, stored: SealedConnection) -> Result<Token, RenewError> {
        let kept = self.kept(&stored)?;
        let Ok(url) = kept.token_endpoint.parse() else {
            return Err(self.end(&stored, UNRENEWABLE).await);
        };
        let endpoint = Endpoint { issuer: &stored.issuer, url: &url, client: &kept.client };
        let asked = match (&kept.own, &kept.refresh) {
            (Some(scopes), _) => token::own(self.desk(), endpoint, &kept.resource, scopes).await,
            (None, Some(refresh)) => token::renew(self.desk(), endpoint, &kept.resource, refresh).await,
            (None, None) => return Err(self.end(&stored, UNRENEWABLE).await),
        };
        match asked {
            Ok(granted) => self.store(stored, kept, granted).await,
            Err(error) if error.passes() => {
                tracing::warn!(server = %stored.server, %error, "a connection could not be renewed");
                self.release(&stored).await;
                Err(RenewError::Away(error.to_string()))
            }
            // A token that is used up or revoked stays so. Anything else can be mended there.
            Err(error @ Error::NoToken(crate::Code::InvalidGrant)) if kept.own.is_none() => {
                Err(self.end(&stored, &sentence(&error)).await)
            }
            Err(error) => {
                let words = sentence(&error);
                tracing::warn!(server = %stored.server, %error, "a connection is not renewed");
                self.note_refusal(stored.tenant, stored.id, stored.version, &words).await;
                self.release(&stored).await;
                Err(RenewError::Refused(words))
            }
        }
    }

    /// Stores newer tokens, and only then gives them out.
    async fn store(
        &self,
        stored: SealedConnection,
        kept: Kept,
        granted: Granted,
    ) -> Result<Token, RenewError> {
        let now = self.clock.now();
        let expires_at = granted.expires_in.map(|life| now + life);
        let newer = Kept { access: granted.access, refresh: granted.refresh.or(kept.refresh), ..kept };
        let sealed = self.keyring.seal(&newer.to_bytes(), place(&stored), &self.entropy)?;
        let scopes = granted.scopes.map(|scopes| scopes.to_string());
        let renewed = RenewedRow { sealed: &sealed, scopes: scopes.as_deref(), obtained_at: now, expires_at };
        let mut wait = GLANCE;
        for attempt in 1.. {
            let storing = async {
                let mut tx = self.storage.system().await?;
                let stored = tx.renew_connection(stored.tenant, stored.id, stored.version, renewed).await?;
                tx.commit().await?;
                Ok::<_, storage::Error>(stored)
            };
            match storing.await {
                Ok(true) => break,
                Ok(false) => {
                    // Either it is gone, or an attempt of ours before was stored without our knowing.
                    return self.reread(&stored, &sealed).await;
                }
                Err(error) if attempt == ATTEMPTS => {
                    tracing::error!(server = %stored.server, %error, "newer tokens of a connection are lost");
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::warn!(server = %stored.server, %error, "newer tokens of a connection wait for postgres");
                    sleep(wait).await;
                    wait *= 4;
                }
            }
        }
        let newer =
            SealedConnection { sealed, version: stored.version + 1, obtained_at: now, expires_at, ..stored };
        Ok(self.open(&newer)?)
    }

    async fn reread(&self, stored: &SealedConnection, sealed: &[u8]) -> Result<Token, RenewError> {
        let mut tx = self.storage.system().await?;
        let known = tx.sealed_connection(stored.tenant, stored.id).await?;
        match known {
            Some(known) if known.sealed == sealed => Ok(self.open(&known)?),
            _ => Err(RenewError::Gone),
        }
    }

    async fn release(&self, stored: &SealedConnection) {
        let releasing = async {
            let mut tx = self.storage.system().await?;
            tx.release_renewal(stored.tenant, stored.id, stored.version).await?;
            tx.commit().await
        };
        if let Err(error) = releasing.await {
            tracing::warn!(%error, "a renewal is not given back: its lease runs out by itself");
        }
    }

    /// Writes down that the connection can't be renewed.
    async fn end(&self, stored: &SealedConnection, trouble: &str) -> RenewError {
        tracing::warn!(server = %stored.server, trouble, "a connection has to be made anew");
        let ending = async {
            let mut tx = self.storage.system().await?;
            tx.end_renewals(stored.tenant, stored.id, stored.version, trouble).await?;
            tx.commit().await
        };
        if let Err(error) = ending.await {
            tracing::warn!(%error, "the trouble of a connection is not written down");
        }
        RenewError::Ended(trouble.to_owned())
    }
}

fn place(stored: &SealedConnection) -> Place<'_> {
    Place::Connection {
        tenant: stored.tenant,
        server: stored.server,
        connection: stored.id,
        identity: &stored.identity,
        issuer: &stored.issuer,
    }
}

/// Why a connection that can't be renewed has to be made anew.
fn ended(stored: &SealedConnection) -> RenewError {
    let words = stored
        .trouble
        .as_deref()
        .unwrap_or("its access ended, and the authorization server gave nothing to renew it with");
    RenewError::Ended(words.to_owned())
}

fn sentence(error: &Error) -> String {
    match error {
        Error::NoToken(crate::Code::InvalidGrant) => {
            "the authorization server does not renew it any more: it was revoked there, or not used for too long".to_owned()
        }
        Error::NoToken(crate::Code::InvalidClient) => {
            "the authorization server does not let Tollgate's client in any more".to_owned()
        }
        other => other.to_string(),
    }
}

impl From<storage::Error> for RenewError {
    fn from(error: storage::Error) -> Self {
        tracing::warn!(%error, "a connection can't be read");
        Self::Away("its tokens can't be read now".to_owned())
    }
}

impl From<vault::Error> for RenewError {
    fn from(error: vault::Error) -> Self {
        tracing::error!(%error, "the tokens of a connection can't be opened");
        Self::Ended("its tokens can't be opened with the keys of this installation".to_owned())
    }
}
