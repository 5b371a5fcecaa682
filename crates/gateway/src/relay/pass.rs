//! One message of the upstream on its way to the client: what it is, and what must be changed in it. Pure, but for sealing.

use mcp::lists::Filter;
use mcp::server::{self, ServerMessage};
use mcp::{Era, Unreadable, Version, handshake};

use super::{Kind, Reply};
use crate::close::Ending;
use crate::directory::GrantView;
use crate::post::OPEN;
use crate::state::Gateway;

/// How long a client may keep a list, in milliseconds: as long as a policy may be remembered here.
const MAX_TTL_MS: u64 = 60_000;

/// A message that may pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// What it became; none: as it came.
    pub body: Option<Vec<u8>>,
    /// How the request ended, if this is its answer.
    pub ending: Option<Ending>,
    /// The version that a handshake settled.
    pub settled: Option<Version>,
    /// It is not for clients of this era.
    pub dropped: bool,
}

impl Reply {
    /// Looks at one message: an HTTP body, or the data of one event.
    pub(super) fn pass(
        &self,
        gateway: &Gateway,
        view: &GrantView,
        data: &[u8],
    ) -> Result<Passed, Unreadable> {
        let messages = match server::read(data) {
            Ok(messages) => messages,
            // Nobody has to rewrite it, and what a tool returns is its own affair.
            Err(_) if self.may_be_unread() => {
                return Ok(Passed { ending: self.guess(), ..Passed::default() });
            }
            Err(unreadable) => return Err(unreadable),
        };
        let mut passed = Passed::default();
        for message in &messages {
            match message {
                ServerMessage::Response { id, ending } if id.is_none() || *id == self.id => {
                    passed.ending = Some(self.ending(ending)?);
                }
                ServerMessage::Request { .. } if self.era() == Era::Modern => {
                    return Ok(Passed { dropped: true, ..Passed::default() });
                }
                _ => {}
            }
        }
        match self.kind {
            Kind::Initialize => {
                let initialized = handshake::initialized(data, OPEN)?;
                passed.settled = initialized.as_ref().map(|initialized| initialized.version);
                passed.body = initialized.and_then(|initialized| initialized.body);
            }
            Kind::Discover => passed.body = handshake::discovered(data, OPEN, MAX_TTL_MS)?,
            Kind::Call if self.era() == Era::Modern => passed.body = self.seal_state(gateway, view, data)?,
            _ => {
                let shows = |tool: &str| view.shows(tool);
                let filter = Filter { era: self.era(), max_ttl_ms: MAX_TTL_MS, shows: &shows };
                passed.body = filter.apply(data)?;
            }
        }
        Ok(passed)
    }

    /// Whether an answer may pass that can't be read without doubt.
    pub(super) fn may_be_unread(&self) -> bool {
        self.era() == Era::Legacy && matches!(self.kind, Kind::Call | Kind::Other)
    }

    /// An unread message in the place of an answer is taken for it.
    fn guess(&self) -> Option<Ending> {
        self.is_request().then_some(Ending::Done)
    }

    fn ending(&self, ending: &server::Ending) -> Result<Ending, Unreadable> {
        if self.era() == Era::Modern && !ending.is_core() {
            return Err(Unreadable("it is of a kind that was not asked for"));
        }
        Ok(match ending {
            server::Ending::Error => Ending::RpcError,
            server::Ending::Result { is_error: true, .. } if self.kind == Kind::Call => Ending::ToolError,
            server::Ending::Result { .. } => Ending::Done,
        })
    }
}
