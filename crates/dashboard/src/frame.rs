//! What stands around every page of somebody who is logged in: organisation, navigation, form token, the time.

use chrono::{DateTime, Utc};
use control::Membership;
use domain::Role;

/// The frame of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which entry of the navigation is current.
    pub section: &'static str,
    /// Goes into every form.
    pub csrf: String,
    /// The time that relative times are relative to.
    pub now: DateTime<Utc>,
    /// Who is logged in.
    pub email: String,
    /// What they can switch to.
    pub organisations: Vec<Membership>,
    /// Calls that wait for a person, in the organisation of the page.
    pub waiting: u64,
    /// The organisation of the page; none on pages of the person.
    pub org: Option<Org>,
}

/// The organisation of a page.
#[derive(Clone, Debug)]
pub struct Org {
    /// Its part of the address.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// What the reader may do: buttons that they may not press are left out.
    pub role: Role,
}

impl Org {
    /// An address in the organisation: `/o/{slug}{rest}`.
    pub fn path(&self, rest: &str) -> String {
        format!("/o/{}{rest}", self.slug)
    }

    /// For the switcher.
    pub fn initial(&self) -> String {
        self.name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
    }
}

impl Frame {
    /// An address in the page's organisation.
    pub fn path(&self, rest: &str) -> String {
        self.org.as_ref().map(|org| org.path(rest)).unwrap_or_default()
    }

    /// The reader writes policies and mints grants.
    pub fn edits(&self) -> bool {
        self.has(Role::Editor)
    }

    /// The reader registers servers, reveals tokens and makes keys.
    pub fn administers(&self) -> bool {
        self.has(Role::Admin)
    }

    /// The reader renames the organisation.
    pub fn owns(&self) -> bool {
        self.has(Role::Owner)
    }

    fn has(&self, role: Role) -> bool {
        self.org.as_ref().is_some_and(|org| org.role >= role)
    }
}
