//! Signing up, logging in and out, and what a log-in may act on.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::{Email, Role, Secret, SessionId, Slug, TenantId, UserId};

use crate::{Actor, Control, Error, Who};

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
        Ok(Actor {
            tenant: membership.tenant,
            role: membership.role,
            who: Who::User { id: self.user, email: self.email.clone(), session: self.id },
        })
    }

    /// The organisation of that address, where the person belongs to it.
    pub fn membership(&self, slug: &str) -> Option<&Membership> {
        self.organisations.iter().find(|membership| membership.slug.as_str() == slug)
    }
}

impl Control {
    /// Makes an account with an organisation that it owns, and logs in. `from` is the caller's address, which too many
    /// attempts are held against.
    pub async fn sign_up(&self, input: &SignUp, from: Option<IpAddr>) -> Result<NewSession, Error> {
        let _ = (input, from);
        unimplemented!()
    }

    /// Logs in. Whether the e-mail or the password is wrong is not told, nor shown by the time it takes.
    pub async fn log_in(&self, input: &LogIn, from: Option<IpAddr>) -> Result<NewSession, Error> {
        let _ = (input, from);
        unimplemented!()
    }

    /// Ends the log-in of this token; does nothing for one that has ended.
    pub async fn log_out(&self, token: &str) -> Result<(), Error> {
        let _ = token;
        unimplemented!()
    }

    /// The log-in of a cookie's token; [`Error::Unauthenticated`] when it has ended or never was.
    pub async fn session(&self, token: &str) -> Result<Session, Error> {
        let _ = token;
        unimplemented!()
    }
}
