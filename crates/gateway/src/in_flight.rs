//! Requests under way in sessions (legacy). In a session an id names one request: by it answers are told apart on whatever stream they come,
//! and cancelled. One that is in use there is refused the second time.
//!
//! Kept by each gateway for what goes through it. The stateless revision answers each request on its own connection, so its ids
//! have nothing to be taken for.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use mcp::{Malformed, Message, code};

use crate::directory::GrantView;
use crate::sessions::Session;
use crate::state::GatewayState;

/// Parts that are locked by themselves, each for as long as it takes to look.
const PARTS: usize = 32;

/// Hashes of grant, session and id of what is under way.
#[derive(Default)]
pub(crate) struct InFlight([Mutex<HashSet<[u8; 32]>>; PARTS]);

/// An id in use; free again when dropped.
pub(crate) struct Seat {
    gateway: GatewayState,
    key: [u8; 32],
}

impl InFlight {
    fn with<T>(&self, key: &[u8; 32], act: impl FnOnce(&mut HashSet<[u8; 32]>) -> T) -> T {
        let part = &self.0[usize::from(key[0]) % PARTS];
        act(&mut part.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Seat {
    /// Takes the id of a request into use; none for what has no id or no session.
    ///
    /// # Errors
    /// 400 `-32600`: it is in use in this session.
    pub fn take(
        gateway: &GatewayState,
        view: &GrantView,
        session: Option<&Session>,
        message: &Message<'_>,
    ) -> Result<Option<Self>, Malformed> {
        let (Message::Request(request), Some(session)) = (message, session) else { return Ok(None) };
        let (grant, server) = (view.grant.uuid(), view.server.uuid());
        let upstream = session.upstream.as_bytes();
        let length = (upstream.len() as u64).to_be_bytes();
        let id = request.id.to_json().to_string();
        let text = [grant.as_bytes(), server.as_bytes(), &length[..], upstream, id.as_bytes()].concat();
        let key = vault::sha256(&text);
        if gateway.in_flight.with(&key, |ids| ids.insert(key)) {
            return Ok(Some(Self { gateway: gateway.clone(), key }));
        }
        Err(Malformed {
            http_status: http::StatusCode::BAD_REQUEST,
            code: code::INVALID_REQUEST,
            message: "a request with this `id` is under way in this session: give each its own".to_owned(),
            data: None,
            id: Some(request.id.clone()),
            reason: "id in use",
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.gateway.in_flight.with(&self.key, |ids| ids.remove(&self.key));
    }
}
