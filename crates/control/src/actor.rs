//! Who asks for an operation, and what their role lets them do. Built from a session, a key or an access token only.

use domain::{ApiKeyId, ConnectLinkId, Email, Label, Role, SessionId, TenantId, UserId};

use crate::Error;

/// Somebody acting in one organisation. Every operation takes one and checks its role.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(crate) tenant: TenantId,
    pub(crate) role: Role,
    pub(crate) who: Who,
}

/// A person at the pages, a program with an API key, or whoever was sent a link.
#[derive(Clone, Debug)]
pub enum Who {
    /// A person who logged in.
    User {
        /// The person.
        id: UserId,
        /// For the admin log.
        email: Email,
        /// The log-in.
        session: SessionId,
    },
    /// A program.
    Key {
        /// The key.
        id: ApiKeyId,
        /// For the admin log.
        label: Label,
    },
    /// Somebody who connects a server by a link.
    Link {
        /// The link.
        id: ConnectLinkId,
        /// For the admin log: whose connection it makes.
        label: String,
    },
}

impl Actor {
    /// The organisation acted in.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What the actor may do there. For showing or leaving out a button; operations check it themselves.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Person or program.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// Whether the role is enough.
    pub fn may(&self, needs: Role) -> bool {
        self.role >= needs
    }

    /// Refuses a role below `needs`.
    pub(crate) fn needs(&self, needs: Role) -> Result<(), Error> {
        if self.may(needs) { Ok(()) } else { Err(Error::Forbidden { needs }) }
    }

    /// The name in the admin log and under "by".
    pub fn label(&self) -> String {
        match &self.who {
            Who::User { email, .. } => email.to_string(),
            Who::Key { label, .. } => format!("API key {label}"),
            Who::Link { label, .. } => format!("link for {label}"),
        }
    }
}
