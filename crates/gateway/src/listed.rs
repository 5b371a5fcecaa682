//! Names of tools that a server has listed since its tools were read, in lists that passed this gateway: what a call of them names is there.
//! Each gateway knows its own; where a list has passed another one alone, reading the tools tells all of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::ServerId;

use crate::directory::GrantView;

/// Names of a server that are kept, and servers that they are kept of.
const MOST: usize = 1000;
/// Bytes of a name that is kept; a longer one is not stored either.
const LONGEST: usize = 256;

/// What was listed, by server.
#[derive(Default)]
pub(crate) struct Listed(Mutex<HashMap<ServerId, HashSet<Box<str>>>>);

impl Listed {
    /// Keeps those of the names that no reading of the tools has found.
    pub fn note<'n>(&self, view: &GrantView, names: impl Iterator<Item = &'n str>) {
        let new = |name: &&str| name.len() <= LONGEST && view.target.tools.get(name).is_none();
        for name in names.filter(new) {
            let mut servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if servers.len() >= MOST && !servers.contains_key(&view.server) {
                servers.clear();
            }
            let names = servers.entry(view.server).or_default();
            if names.len() < MOST && !names.contains(name) {
                names.insert(name.into());
            }
        }
    }

    /// Whether the server lists a tool of this very name. Of one whose tools nobody has read, nothing is known, so that it may.
    pub fn has(&self, view: &GrantView, name: &str) -> bool {
        let tools = &view.target.tools;
        tools.is_unread() || tools.get(name).is_some() || self.noted(view.server, name)
    }

    fn noted(&self, server: ServerId, name: &str) -> bool {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        servers.get(&server).is_some_and(|names| names.contains(name))
    }
}
