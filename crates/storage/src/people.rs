//! People, their log-ins, and how often something was tried.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Email, Role, SessionId, TenantId, UserId};

use crate::{Error, SystemTx, read_role};

/// A person, to check a password against.
#[derive(Clone)]
pub struct UserRow {
    /// The person.
    pub id: UserId,
    /// PHC string.
    pub password_hash: String,
}

/// A log-in.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The log-in.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The latest time it can be used.
    pub expires_at: DateTime<Utc>,
}

/// An organisation that a person belongs to.
#[derive(Clone, Debug)]
pub struct MembershipRow {
    /// The organisation.
    pub tenant: TenantId,
    /// Its part of the address.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What the person may do there.
    pub role: Role,
}

/// A person who belongs to an organisation.
#[derive(Clone, Debug)]
pub struct MemberRow {
    /// The person.
    pub user: UserId,
    /// Their address.
    pub email: String,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// How often something was tried since it was counted from nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// With this one.
    pub count: i32,
    /// When counting begins anew.
    pub resets_at: DateTime<Utc>,
}

impl SystemTx {
    /// A new person; [`crate::Constraint::EmailTaken`] when there is one of that address.
    pub async fn insert_user(
        &mut self,
        id: UserId,
        email: &Email,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO users (id, email, password_hash, created_at) VALUES ($1, $2, $3, $4)",
            id.uuid(),
            email.as_str(),
            password_hash,
            now
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The person of that address.
    pub async fn user_by_email(&mut self, email: &Email) -> Result<Option<UserRow>, Error> {
        let row = sqlx::query!("SELECT id, password_hash FROM users WHERE email = $1", email.as_str())
            .fetch_optional(self.connection())
            .await?;
        Ok(row.map(|row| UserRow { id: row.id.into(), password_hash: row.password_hash }))
    }

    /// The PHC string of a person's password.
    pub async fn password_hash(&mut self, user: UserId) -> Result<Option<String>, Error> {
        Ok(sqlx::query_scalar!("SELECT password_hash FROM users WHERE id = $1", user.uuid())
            .fetch_optional(self.connection())
            .await?)
    }

    /// A new log-in.
    pub async fn insert_session(
        &mut self,
        id: SessionId,
        user: UserId,
        token_hash: &[u8; 32],
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<(), Error> {
        sqlx::query!(
            "INSERT INTO sessions (id, user_id, token_hash, created_at, last_seen_at, expires_at)
             VALUES ($1, $2, $3, $4, $4, $5)",
            id.uuid(),
            user.uuid(),
            token_hash.as_slice(),
            now,
            expires_at
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The log-in with this token (SHA-256), ended or not.
    pub async fn session_by_token(&mut self, token_hash: &[u8; 32]) -> Result<Option<SessionRow>, Error> {
        let row = sqlx::query!(
            "SELECT s.id, s.user_id, u.email, s.last_seen_at, s.expires_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.token_hash = $1",
            token_hash.as_slice()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| SessionRow {
            id: row.id.into(),
            user: row.user_id.into(),
            email: row.email,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        }))
    }

    /// The log-in of this id, ended or not.
    pub async fn session_by_id(&mut self, id: SessionId) -> Result<Option<SessionRow>, Error> {
        let row = sqlx::query!(
            "SELECT s.id, s.user_id, u.email, s.last_seen_at, s.expires_at
             FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id = $1",
            id.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| SessionRow {
            id: row.id.into(),
            user: row.user_id.into(),
            email: row.email,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        }))
    }

    /// Notes that the log-in was used.
    pub async fn touch_session(&mut self, id: SessionId, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query!("UPDATE sessions SET last_seen_at = $2 WHERE id = $1", id.uuid(), now)
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Ends the log-in with this token (SHA-256).
    pub async fn delete_session(&mut self, token_hash: &[u8; 32]) -> Result<(), Error> {
        sqlx::query!("DELETE FROM sessions WHERE token_hash = $1", token_hash.as_slice())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Forgets log-ins that ended before `now`.
    pub async fn delete_ended_sessions(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query!("DELETE FROM sessions WHERE expires_at < $1", now).execute(self.connection()).await?;
        Ok(())
    }

    /// What a person belongs to, by name.
    pub async fn memberships(&mut self, user: UserId) -> Result<Vec<MembershipRow>, Error> {
        let rows = sqlx::query!(
            "SELECT t.id, t.slug, t.name, m.role
             FROM memberships m JOIN tenants t ON t.id = m.tenant_id
             WHERE m.user_id = $1
             ORDER BY t.name, t.slug",
            user.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(MembershipRow {
                    tenant: row.id.into(),
                    slug: row.slug,
                    name: row.name,
                    role: read_role(&row.role)?,
                })
            })
            .collect()
    }

    /// Who belongs to an organisation, by address.
    pub async fn members(&mut self, tenant: TenantId) -> Result<Vec<MemberRow>, Error> {
        let rows = sqlx::query!(
            "SELECT u.id, u.email, m.role, m.created_at
             FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.tenant_id = $1
             ORDER BY u.email",
            tenant.uuid()
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(MemberRow {
                    user: row.id.into(),
                    email: row.email,
                    role: read_role(&row.role)?,
                    created_at: row.created_at,
                })
            })
            .collect()
    }

    /// What a person may do in an organisation, if they belong to it.
    pub async fn membership(&mut self, tenant: TenantId, user: UserId) -> Result<Option<Role>, Error> {
        let role = sqlx::query_scalar!(
            "SELECT role FROM memberships WHERE tenant_id = $1 AND user_id = $2",
            tenant.uuid(),
            user.uuid()
        )
        .fetch_optional(self.connection())
        .await?;
        role.map(|role| read_role(&role)).transpose()
    }

    /// Counts one more try of `subject`; counting begins anew `window` after it last did.
    pub async fn count_attempt(
        &mut self,
        subject: &[u8; 32],
        now: DateTime<Utc>,
        window: TimeDelta,
    ) -> Result<Attempts, Error> {
        let row = sqlx::query!(
            "INSERT INTO attempts AS a (subject, count, resets_at) VALUES ($1, 1, $3)
             ON CONFLICT ON CONSTRAINT attempts_pkey DO UPDATE SET
                 count = CASE WHEN a.resets_at <= $2 THEN 1 ELSE least(a.count, 1000000) + 1 END,
                 resets_at = CASE WHEN a.resets_at <= $2 THEN $3 ELSE a.resets_at END
             RETURNING count, resets_at",
            subject.as_slice(),
            now,
            now + window
        )
        .fetch_one(self.connection())
        .await?;
        Ok(Attempts { count: row.count, resets_at: row.resets_at })
    }

    /// Takes one try back: it went well.
    pub async fn uncount_attempt(&mut self, subject: &[u8; 32]) -> Result<(), Error> {
        sqlx::query!(
            "UPDATE attempts SET count = count - 1 WHERE subject = $1 AND count > 0",
            subject.as_slice()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forgets what is not counted any more.
    pub async fn delete_old_attempts(&mut self, now: DateTime<Utc>) -> Result<(), Error> {
        sqlx::query!("DELETE FROM attempts WHERE resets_at < $1", now).execute(self.connection()).await?;
        Ok(())
    }
}
