//! The workflow engine: everything it knows, in memory, behind one lock.

mod agents;
mod approvals;
mod comments;
mod credentials;
mod events;
mod functions;
mod notifications;
mod rest;
mod runs;
mod seed;
mod skills;
mod stats;
mod table;
mod tasks;
mod tools;
mod world;

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use self::world::World;
use crate::requests::RestRequest;

/// A handle to one workflow engine with its own data.
#[derive(Clone, Debug)]
pub struct Engine(Arc<Mutex<World>>);

impl Engine {
    /// An engine with the seed data.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(seed::world())))
    }

    /// Back to the seed data.
    pub fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = seed::world();
    }

    /// Carries out one request: the HTTP status and the body of the answer.
    pub(crate) fn answer(&self, request: &RestRequest) -> (u16, Value) {
        let mut world = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match rest::route(&mut world, request) {
            Ok(body) => (200, body),
            Err(refusal) => (refusal.status, refusal.body()),
        }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
