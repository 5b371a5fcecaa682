//! The login to an upstream that wants a token: the one to send now, another when it is refused, and what is said when
//! there is none.
//!
//! INVARIANT: a request is sent a second time only when the upstream refused its token and another one is at hand. It was
//! not let in, so nothing is done twice.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use domain::{ConnectionId, TenantId};
use egress::EgressError;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use oauth::{Challenge, Keeper, RenewError, Scopes, Token};
use tokio::time::Instant;

use crate::directory::GrantView;
use crate::state::Gateway;

/// After a renewal that failed nobody asks again for so long.
const PAUSE: Duration = Duration::from_secs(2);
/// Nor after one that was refused, which is for people to mend.
const LONG_PAUSE: Duration = Duration::from_mins(1);
/// What is written down of a token that the upstream refuses.
const REFUSED: &str = "the server refuses its token, although it has not ended";
/// A token that was refused so soon after it was had is not replaced: another one would be refused too.
const TOO_NEW: chrono::TimeDelta = chrono::TimeDelta::seconds(10);

/// How the upstream is logged in to, beside the server's headers.
pub(crate) enum Login {
    /// Not at all.
    Headers,
    /// Nobody has connected it yet: the organisation, or the grant's identity.
    Missing { personal: bool },
    /// By a connection. Views of one connection share it, and so each newer token.
    Connection(Arc<Connection>),
}

impl Login {
    /// The connection, if it is by one.
    pub fn connection(&self) -> Option<ConnectionId> {
        match self {
            Self::Connection(connection) => Some(connection.id),
            Self::Headers | Self::Missing { .. } => None,
        }
    }
}

/// A connection in use.
pub(crate) struct Connection {
    tenant: TenantId,
    id: ConnectionId,
    token: ArcSwap<Token>,
    /// Held by who renews; and how the last attempt failed.
    renewing: tokio::sync::Mutex<Option<(Instant, RenewError)>>,
    /// The version whose refusal was written down.
    refused: AtomicI64,
    /// What the upstream asked for beyond the scopes that there are.
    wanted: Mutex<Scopes>,
}

/// Why there is no answer of the upstream.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsent {
    /// It could not be called.
    #[error(transparent)]
    Egress(EgressError),
    /// There is no login to call it with.
    #[error(transparent)]
    LoggedOut(LoggedOut),
}

/// Why there is no login, in words for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoggedOut {
    /// The organisation has not connected the server.
    #[error("this server is not connected to its upstream yet: an administrator must connect it in Tollgate")]
    NotConnected,
    /// The grant's identity has not.
    #[error(
        "this identity has not connected its account at the upstream yet: ask an administrator for a link to connect it"
    )]
    NotConnectedFor,
    /// It was, and has to be again.
    #[error("the login to the upstream has ended: an administrator must reconnect it in Tollgate")]
    Ended,
    /// The authorization server does not answer.
    #[error("the login to the upstream can't be renewed now: try again in a moment")]
    Away,
}

impl From<RenewError> for LoggedOut {
    fn from(error: RenewError) -> Self {
        match error {
            RenewError::Ended(_) | RenewError::Refused(_) | RenewError::Gone => Self::Ended,
            RenewError::Away(_) => Self::Away,
        }
    }
}

impl From<EgressError> for Unsent {
    fn from(error: EgressError) -> Self {
        Self::Egress(error)
    }
}

impl From<RenewError> for Unsent {
    fn from(error: RenewError) -> Self {
        Self::LoggedOut(error.into())
    }
}

/// What is expected back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// An answer, be it a stream that ends with it.
    Answer,
    /// A stream that may be open for hours.
    Stream,
}

/// Sends a request to the upstream of `view`, with its login.
pub(crate) async fn send(
    gateway: &Gateway,
    view: &GrantView,
    request: Request<Bytes>,
    expected: Expected,
) -> Result<Response<egress::Body>, Unsent> {
    let connection = match &view.login {
        Login::Headers => return Ok(once(gateway, request, expected).await?),
        Login::Missing { personal: true } => return Err(Unsent::LoggedOut(LoggedOut::NotConnectedFor)),
        Login::Missing { personal: false } => return Err(Unsent::LoggedOut(LoggedOut::NotConnected)),
        Login::Connection(connection) => connection,
    };
    let token = connection.current(gateway).await?;
    let response = once(gateway, with(&request, &token), expected).await?;
    let (response, token) = if response.status() == StatusCode::UNAUTHORIZED
        && let Some(another) = connection.another(gateway, &token).await?
    {
        drop(response);
        (once(gateway, with(&request, &another), expected).await?, another)
    } else {
        (response, token)
    };
    match response.status() {
        StatusCode::UNAUTHORIZED => connection.note_refusal(gateway, &token),
        StatusCode::FORBIDDEN => connection.note_scopes(gateway, Challenge::read(response.headers())),
        _ => connection.note_let_in(gateway, &token),
    }
    Ok(response)
}

/// Sends it, whatever the answer.
async fn once(
    gateway: &Gateway,
    request: Request<Bytes>,
    expected: Expected,
) -> Result<Response<egress::Body>, EgressError> {
    match expected {
        Expected::Answer => gateway.parts.egress.send(request).await,
        // In a box of its own, for which most requests have no use.
        Expected::Stream => Box::pin(gateway.parts.egress.open(request)).await,
    }
}

/// The request with this token, whatever else was to be sent in its place.
fn with(request: &Request<Bytes>, token: &Token) -> Request<Bytes> {
    let mut request = request.clone();
    request.headers_mut().insert(AUTHORIZATION, token.header.clone());
    request
}

impl Connection {
    /// A connection that was read, with the trouble that was written down of it.
    pub fn new(tenant: TenantId, id: ConnectionId, token: Token, trouble: Option<&str>) -> Self {
        let refused = if trouble == Some(REFUSED) { token.version } else { 0 };
        Self {
            tenant,
            id,
            token: ArcSwap::from_pointee(token),
            renewing: tokio::sync::Mutex::default(),
            refused: AtomicI64::new(refused),
            wanted: Mutex::default(),
        }
    }

    /// Takes a token over that was read, unless a newer one is here.
    pub fn take(&self, token: Token) {
        let token = Arc::new(token);
        self.token.rcu(|known| {
            let newer = (token.version, !token.renewable) > (known.version, !known.renewable);
            Arc::clone(if newer { &token } else { known })
        });
    }

    /// The token to send now, renewed if its end is near.
    async fn current(&self, gateway: &Gateway) -> Result<Arc<Token>, RenewError> {
        let token = self.token.load_full();
        let now = gateway.parts.clock.now();
        if !token.ends_soon(now) {
            return Ok(token);
        }
        let renewed = if token.renewable {
            Box::pin(self.renew(&gateway.keeper, token.version)).await
        } else {
            Err(RenewError::Ended("it can't be renewed".to_owned()))
        };
        match renewed {
            // It was to be renewed early, and is good until its end.
            Err(RenewError::Ended(_) | RenewError::Refused(_) | RenewError::Away(_)) if !token.ended(now) => {
                Ok(token)
            }
            other => other,
        }
    }

    /// Another token than the one that was refused; none where there is no sense in one.
    async fn another(&self, gateway: &Gateway, refused: &Token) -> Result<Option<Arc<Token>>, RenewError> {
        let known = self.token.load_full();
        if known.version != refused.version {
            return Ok(Some(known));
        }
        let new = gateway.parts.clock.now() - refused.obtained_at < TOO_NEW;
        if new || !known.renewable {
            return Ok(None);
        }
        self.renew(&gateway.keeper, refused.version).await.map(Some)
    }

    /// One renewal at a time; whoever waits shares what it brought, be it a failure.
    async fn renew(&self, keeper: &Keeper, seen: i64) -> Result<Arc<Token>, RenewError> {
        let mut last = self.renewing.lock().await;
        let known = self.token.load_full();
        if known.version != seen {
            return Ok(known);
        }
        if let Some((at, error)) = &*last {
            let pause = if matches!(error, RenewError::Refused(_)) { LONG_PAUSE } else { PAUSE };
            if at.elapsed() < pause {
                return Err(error.clone());
            }
        }
        match keeper.renew(self.tenant, self.id, seen).await {
            Ok(token) => {
                let token = Arc::new(token);
                self.token.store(Arc::clone(&token));
                *last = None;
                Ok(token)
            }
            Err(error) => {
                if matches!(error, RenewError::Ended(_)) {
                    self.token.store(Arc::new(Token { renewable: false, ..(*known).clone() }));
                }
                *last = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Writes down that the upstream refuses the token, once a token.
    fn note_refusal(self: &Arc<Self>, gateway: &Gateway, token: &Token) {
        if self.refused.swap(token.version, Ordering::Relaxed) == token.version {
            return;
        }
        let (keeper, connection, version) = (gateway.keeper.clone(), Arc::clone(self), token.version);
        gateway.background.spawn(async move {
            let (tenant, id) = (connection.tenant, connection.id);
            keeper.note_refusal(tenant, id, version, REFUSED).await;
            // It was let in again while that was written.
            if connection.refused.load(Ordering::Relaxed) == 0 {
                keeper.note_let_in(tenant, id, version, REFUSED).await;
            }
        });
    }

    /// Takes the refusal back that was written down, once the upstream lets the token in again.
    fn note_let_in(&self, gateway: &Gateway, token: &Token) {
        let version = token.version;
        if self.refused.compare_exchange(version, 0, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        let (keeper, tenant, id) = (gateway.keeper.clone(), self.tenant, self.id);
        gateway.background.spawn(async move { keeper.note_let_in(tenant, id, version, REFUSED).await });
    }

    /// Writes down which scopes the upstream misses: the next time somebody connects, they are asked for.
    fn note_scopes(&self, gateway: &Gateway, challenge: Option<Challenge>) {
        let challenge = challenge.filter(Challenge::is_insufficient_scope);
        let Some(scopes) = challenge.and_then(|challenge| challenge.scopes) else { return };
        let wanted = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(more) = wanted.step_up(&scopes) else { return };
            wanted.clone_from(&more);
            more
        };
        let (keeper, tenant, id) = (gateway.keeper.clone(), self.tenant, self.id);
        gateway.background.spawn(async move { keeper.note_wanted_scopes(tenant, id, &wanted).await });
    }
}
