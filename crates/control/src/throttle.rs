//! How often something that can be guessed may be tried.
//!
//! A try is counted before it is made, so that many at once can't slip through, and taken back when it went well. Counts
//! lie in Postgres under a hash of whom they are held against.

use std::net::IpAddr;

use chrono::TimeDelta;
use domain::{Email, UserId};
use storage::SystemTx;

use crate::{Control, Error};

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// To make an account, which also tells whether an address has one.
    SignUp,
    /// To log in.
    LogIn,
    /// To show a secret again by typing one's password.
    Reveal,
}

/// Whom a try is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// One network address, whatever it tries. An IPv6 address counts with its /64, which one machine may have.
    Address(Option<IpAddr>),
    /// One account, whoever tries. Generous: others must not be able to lock its owner out for long.
    Email(&'a Email),
    /// One account from one network address.
    EmailAt(&'a Email, Option<IpAddr>),
    /// One person who is logged in.
    User(UserId),
}

/// Counting begins anew after this long.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::LogIn => "log-in",
            Self::Reveal => "reveal",
        }
    }
}

impl Subject<'_> {
    /// Tries in a [`WINDOW`].
    fn most(self) -> i32 {
        match self {
            Self::Address(_) | Self::Email(_) => 100,
            Self::EmailAt(..) => 10,
            Self::User(_) => 5,
        }
    }

    fn hash(self, action: Action) -> [u8; 32] {
        let whom = match self {
            Self::Address(from) => format!("address {}", network(from)),
            Self::Email(email) => format!("email {email}"),
            Self::EmailAt(email, from) => format!("email {email} at {}", network(from)),
            Self::User(user) => format!("user {user}"),
        };
        vault::sha256(format!("{} by {whom}", action.name()).as_bytes())
    }
}

fn network(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        None => "unknown".to_owned(),
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

impl Control {
    /// Counts a try against each; [`Error::TooManyAttempts`] when one has had too many.
    pub(crate) async fn count(&self, action: Action, subjects: &[Subject<'_>]) -> Result<(), Error> {
        let now = self.now();
        let mut tx = self.parts().storage.system().await?;
        let mut wait = None;
        for subject in subjects {
            let attempts = tx.count_attempt(&subject.hash(action), now, WINDOW).await?;
            if attempts.count > subject.most() {
                wait = wait.max(Some(attempts.resets_at - now));
            }
        }
        tx.commit().await?;
        match wait {
            Some(wait) => Err(Error::TooManyAttempts { retry_after: wait.to_std().unwrap_or_default() }),
            None => Ok(()),
        }
    }

    /// Takes a try that went well back.
    pub(crate) async fn uncount(
        &self,
        tx: &mut SystemTx,
        action: Action,
        subjects: &[Subject<'_>],
    ) -> Result<(), Error> {
        for subject in subjects {
            tx.uncount_attempt(&subject.hash(action)).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_machine_is_one_network() {
        let network = |text: &str| network(Some(text.parse().unwrap()));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.7"), network("192.0.2.7"));
        assert_ne!(network("192.0.2.7"), network("192.0.2.8"));
    }

    #[test]
    fn counts_of_different_things_are_kept_apart() {
        let email: Email = "ada@example.com".parse().unwrap();
        let hashes = [
            Subject::Address(None).hash(Action::LogIn),
            Subject::Address(None).hash(Action::SignUp),
            Subject::Email(&email).hash(Action::LogIn),
            Subject::EmailAt(&email, None).hash(Action::LogIn),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(hash));
        }
    }
}
