//! One thing for each runtime that calls: a connection is driven by the runtime that made it, and whoever calls from
//! elsewhere wakes another thread, twice a call.

use tokio::runtime::{Handle, Id};

/// Things that belong to runtimes, and one for whoever calls from another.
#[derive(Debug)]
pub(crate) struct Local<T> {
    shared: T,
    own: Vec<(Id, T)>,
}

impl<T> Local<T> {
    /// One for everybody, and one for each of these runtimes.
    pub(crate) fn new(shared: T, own: Vec<(Id, T)>) -> Self {
        Self { shared, own }
    }

    /// That of the runtime that asks.
    pub(crate) fn get(&self) -> &T {
        if self.own.is_empty() {
            return &self.shared;
        }
        let here = Handle::try_current().ok().map(|handle| handle.id());
        let own = self.own.iter().find(|(id, _)| Some(*id) == here);
        own.map_or(&self.shared, |(_, own)| own)
    }

    /// That of whoever has none of its own.
    pub(crate) fn shared(&self) -> &T {
        &self.shared
    }

    /// Those that belong to a runtime.
    pub(crate) fn own(&self) -> impl Iterator<Item = &T> {
        self.own.iter().map(|(_, own)| own)
    }
}
