//! Signing up, logging in and out, and what a log-in may act on.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Email, Label, Role, Secret, SessionId, Slug, TenantId, UserId};
use storage::{SessionRow, SystemTx};
use vault::{Token, TokenKind};

use crate::input::{self, Problems};
use crate::throttle::{Action, Subject};
use crate::{Actor, Control, Error, Who};

/// A log-in ends this long after it was made, used or not.
const LIFETIME: TimeDelta = TimeDelta::days(14);
/// And this long after it was last used.
const IDLE: TimeDelta = TimeDelta::hours(24);
/// How old the note of its last use may become, so that not every page view writes.
pub(crate) const TOUCH_AFTER: TimeDelta = TimeDelta::minutes(1);

/// A person's first step: an account, an organisation, and a log-in.
#[derive(Debug)]
pub struct SignUp {
    /// As typed.
    pub email: String,
    /// At least 12 characters.
    pub password: Secret<String>,
    /// What to call the first organisation, as typed.
    pub organisation: String,
}

/// E-mail and password, as typed.
#[derive(Debug)]
pub struct LogIn {
    /// As typed.
    pub email: String,
    /// As typed.
    pub password: Secret<String>,
}

/// A log-in that was just made. The token goes into the cookie and is known to nobody else.
#[derive(Debug)]
pub struct NewSession {
    /// `tg_session_...`.
    pub token: Secret<String>,
    /// The latest time it can be used; idle ones end earlier.
    pub expires_at: DateTime<Utc>,
    /// Where to go first: the first organisation of the person, if any.
    pub home: Option<Slug>,
}

/// A log-in in use.
#[derive(Clone, Debug)]
pub struct Session {
    /// The log-in.
    pub id: SessionId,
    /// Who logged in.
    pub user: UserId,
    /// Their address.
    pub email: Email,
    /// The latest time it can be used.
    pub expires_at: DateTime<Utc>,
    /// What the person belongs to, by name.
    pub organisations: Vec<Membership>,
}

/// An organisation that a person belongs to.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The organisation.
    pub tenant: TenantId,
    /// Its part of the address, `/o/{slug}`.
    pub slug: Slug,
    /// What people call it.
    pub name: String,
    /// What the person may do there.
    pub role: Role,
}

impl Session {
    /// The person acting in one of their organisations; [`Error::NotFound`] for any other.
    pub fn actor(&self, slug: &str) -> Result<Actor, Error> {
        let membership = self.membership(slug).ok_or(Error::NotFound)?;
        Ok(self.acting(membership.tenant, membership.role))
    }

    /// The organisation of that address, where the person belongs to it.
    pub fn membership(&self, slug: &str) -> Option<&Membership> {
        self.organisations.iter().find(|membership| membership.slug.as_str() == slug)
    }

    pub(crate) fn acting(&self, tenant: TenantId, role: Role) -> Actor {
        let who = Who::User { id: self.user, email: self.email.clone(), session: self.id };
        Actor { tenant, role, who }
    }
}

impl Control {
    /// Makes an account with an organisation that it owns, and logs in. `from` is the caller's address, which too many
    /// attempts are held against.
    pub async fn sign_up(&self, input: &SignUp, from: Option<IpAddr>) -> Result<NewSession, Error> {
        let mut problems = Problems::new();
        let email = problems.take("/email", input.email.parse::<Email>());
        problems.take("/password", input::password(&input.password, &input.email));
        let name = problems.take("/organisation", input.organisation.parse::<Label>());
        let (Some(email), Some(name)) = (email, name) else { return Err(problems.into()) };
        problems.check()?;
        self.count(Action::SignUp, &[Subject::Address(from)]).await?;

        let password_hash = self.hash_password(&input.password).await?;
        let mut tx = self.parts().storage.system().await?;
        let user = self.id();
        tx.insert_user(user, &email, &password_hash, self.now()).await?;
        let session = self.new_session(&mut tx, user).await?;
        let person = Session {
            id: session.0,
            user,
            email,
            expires_at: session.1.expires_at,
            organisations: Vec::new(),
        };
        let slug = self.insert_organisation(&mut tx, &person, &name).await?;
        tx.commit().await?;
        Ok(NewSession { home: Some(slug), ..session.1 })
    }

    /// Logs in. Whether the e-mail or the password is wrong is not told, nor shown by the time it takes.
    pub async fn log_in(&self, input: &LogIn, from: Option<IpAddr>) -> Result<NewSession, Error> {
        let Ok(email) = input.email.parse::<Email>() else { return Err(Error::Unauthenticated) };
        if input.password.expose().len() > input::PASSWORD_BYTES {
            return Err(Error::Unauthenticated);
        }
        let subjects = [Subject::EmailAt(&email, from), Subject::Address(from), Subject::Email(&email)];
        self.count(Action::LogIn, &subjects).await?;

        let user = self.parts().storage.system().await?.user_by_email(&email).await?;
        let (id, stored) = user.map(|user| (user.id, user.password_hash)).unzip();
        if !self.verify_password(&input.password, stored).await? {
            return Err(Error::Unauthenticated);
        }
        let Some(user) = id else { return Err(Error::Unauthenticated) };

        let mut tx = self.parts().storage.system().await?;
        self.uncount(&mut tx, Action::LogIn, &subjects).await?;
        tx.delete_ended_sessions(self.now()).await?;
        tx.delete_old_attempts(self.now()).await?;
        let (_, session) = self.new_session(&mut tx, user).await?;
        let first = tx.memberships(user).await?.into_iter().next();
        let home = first.map(|row| row.slug.parse()).transpose().map_err(Error::internal)?;
        tx.commit().await?;
        Ok(NewSession { home, ..session })
    }

    /// Ends the log-in of this token; does nothing for one that has ended.
    pub async fn log_out(&self, token: &str) -> Result<(), Error> {
        let Ok(token) = Token::parse(TokenKind::Session, token) else { return Ok(()) };
        let mut tx = self.parts().storage.system().await?;
        tx.delete_session(&token.hash()).await?;
        Ok(tx.commit().await?)
    }

    /// The log-in of a cookie's token; [`Error::Unauthenticated`] when it has ended or never was.
    pub async fn session(&self, token: &str) -> Result<Session, Error> {
        let token = Token::parse(TokenKind::Session, token).map_err(|_| Error::Unauthenticated)?;
        let mut tx = self.parts().storage.system().await?;
        let row = tx.session_by_token(&token.hash()).await?.ok_or(Error::Unauthenticated)?;
        if !self.is_live(&row) {
            return Err(Error::Unauthenticated);
        }
        let organisations = tx.memberships(row.user).await?.into_iter().map(|row| {
            let slug = row.slug.parse().map_err(Error::internal)?;
            Ok::<_, Error>(Membership { tenant: row.tenant, slug, name: row.name, role: row.role })
        });
        let organisations = organisations.collect::<Result<_, _>>()?;
        if row.last_seen_at + TOUCH_AFTER <= self.now() {
            tx.touch_session(row.id, self.now()).await?;
            tx.commit().await?;
        }
        Ok(Session {
            id: row.id,
            user: row.user,
            email: row.email.parse().map_err(Error::internal)?,
            expires_at: row.expires_at,
            organisations,
        })
    }

    /// Whether a log-in can still be used.
    pub(crate) fn is_live(&self, row: &SessionRow) -> bool {
        let now = self.now();
        now < row.expires_at && now < row.last_seen_at + IDLE
    }

    async fn new_session(&self, tx: &mut SystemTx, user: UserId) -> Result<(SessionId, NewSession), Error> {
        let token = Token::generate(TokenKind::Session, &self.parts().entropy);
        let (id, now) = (self.id(), self.now());
        let expires_at = now + LIFETIME;
        tx.insert_session(id, user, &token.hash(), now, expires_at).await?;
        let token = Secret::new(token.expose().to_owned());
        Ok((id, NewSession { token, expires_at, home: None }))
    }
}
