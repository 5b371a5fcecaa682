//! Who a bearer token stands for: an API key, or a short-lived access token made from a key or a log-in.

use chrono::{DateTime, Utc};
use domain::{ApiKeyId, Role, Secret, SessionId, TenantId, UserId};
use storage::{KeyRow, SystemTx};
use vault::jwt::{Claims, Holder, MAX_LIFETIME};
use vault::{Token, TokenKind};

use crate::accounts::TOUCH_AFTER;
use crate::{Actor, Control, Error, Standing, Who, keys};

/// A signed token (JWT, Ed25519) that stands for its maker for a quarter of an hour.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The JWT.
    pub token: Secret<String>,
    /// 15 minutes after it was made.
    pub expires_at: DateTime<Utc>,
}

impl Control {
    /// The actor behind `Authorization: Bearer <token>`: a key or an access token. Role and revocation are looked up
    /// anew, so a token says less the moment its maker may less.
    pub async fn authenticate(&self, bearer: &str) -> Result<Actor, Error> {
        if let Ok(token) = Token::parse(TokenKind::Key, bearer) {
            let mut tx = self.parts().storage.system().await?;
            let row = tx.key_by_token(&token.hash()).await?.ok_or(Error::Unauthenticated)?;
            return self.key_actor(tx, row).await;
        }
        let claims = self.parts().signer.verify(bearer, self.now()).map_err(|_| Error::Unauthenticated)?;
        let tx = self.parts().storage.system().await?;
        let mut actor = match claims.holder {
            Holder::Key(id) => self.key_by_id(tx, claims.tenant, id).await?,
            Holder::User { user, session } => self.user_actor(tx, claims.tenant, user, session).await?,
        };
        actor.role = actor.role.min(claims.role);
        Ok(actor)
    }

    /// An access token that stands for the actor.
    pub fn issue_access_token(&self, actor: &Actor) -> Result<AccessToken, Error> {
        let holder = match &actor.who {
            Who::User { id, session, .. } => Holder::User { user: *id, session: *session },
            Who::Key { id, .. } => Holder::Key(*id),
            Who::Link { .. } => return Err(Error::PeopleOnly),
        };
        let claims = Claims { holder, tenant: actor.tenant, role: actor.role };
        let parts = self.parts();
        let issued = parts.signer.issue(claims, MAX_LIFETIME, self.now(), &parts.entropy)?;
        Ok(AccessToken { token: issued.token, expires_at: issued.expires_at })
    }

    /// The public keys that access tokens can be checked with (RFC 7517).
    pub fn jwks(&self) -> Result<serde_json::Value, Error> {
        Ok(self.parts().signer.jwks()?)
    }

    async fn key_by_id(&self, mut tx: SystemTx, tenant: TenantId, id: ApiKeyId) -> Result<Actor, Error> {
        let row = tx.key_by_id(tenant, id).await?.ok_or(Error::Unauthenticated)?;
        self.key_actor(tx, row).await
    }

    async fn key_actor(&self, mut tx: SystemTx, row: KeyRow) -> Result<Actor, Error> {
        let now = self.now();
        if keys::standing(&row, now) != Standing::Active {
            return Err(Error::Unauthenticated);
        }
        if row.last_used_at.is_none_or(|last| last + TOUCH_AFTER <= now) {
            tx.touch_key(row.tenant, row.id, now).await?;
            tx.commit().await?;
        }
        let label = row.label.parse().map_err(Error::internal)?;
        Ok(Actor { tenant: row.tenant, role: row.role, who: Who::Key { id: row.id, label } })
    }

    async fn user_actor(
        &self,
        mut tx: SystemTx,
        tenant: TenantId,
        user: UserId,
        session: SessionId,
    ) -> Result<Actor, Error> {
        let row = tx.session_by_id(session).await?.ok_or(Error::Unauthenticated)?;
        if row.user != user || !self.is_live(&row) {
            return Err(Error::Unauthenticated);
        }
        let role: Role = tx.membership(tenant, user).await?.ok_or(Error::Unauthenticated)?;
        let email = row.email.parse().map_err(Error::internal)?;
        Ok(Actor { tenant, role, who: Who::User { id: user, email, session } })
    }
}
