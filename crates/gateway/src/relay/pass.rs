//! One message of the upstream on its way to the client: what it is, whether it may pass, and what must be changed in it.

use std::sync::Arc;

use mcp::handshake::Initialized;
use mcp::lists::Filter;
use mcp::server::{self, ServerMessage};
use mcp::skim::{self, Skim};
use mcp::{Draft, Era, TaskNames, Unreadable};

use super::{Kind, Reply, state};
use crate::close::Ending;
use crate::directory::GrantView;
use crate::pins;
use crate::state::GatewayState;
use crate::tasks;

/// How long a client may keep a list, in milliseconds: as long as a policy may be remembered here.
const MAX_TTL_MS: u64 = 60_000;

/// A message that may pass.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// What it became; none: as it came.
    pub body: Option<Vec<u8>>,
    /// How the request ended, if this is its answer.
    pub ending: Option<Ending>,
    /// What a handshake settled.
    pub settled: Option<Initialized>,
    /// It is not for this client, or not for clients of this era.
    pub dropped: bool,
}

impl Passed {
    const DROPPED: Self = Self { body: None, ending: None, settled: None, dropped: true };
}

impl Reply {
    /// Looks at one message: an HTTP body, or the data of one event.
    pub(super) async fn pass(
        &mut self,
        gateway: &GatewayState,
        view: &Arc<GrantView>,
        data: &[u8],
    ) -> Result<Passed, Unreadable> {
        let read = Draft::read(data).and_then(|draft| draft.messages().map(|messages| (draft, messages)));
        let (mut draft, messages) = match read {
            Ok(read) => read,
            // Nobody has to rewrite it, and what a tool returns is its own affair.
            Err(_) if self.may_be_unread() && skim::is_result(data) => {
                return Ok(Passed { ending: self.guess(), ..Passed::default() });
            }
            Err(unreadable) => return Err(unreadable),
        };
        let mut passed = Passed { ending: self.ending_among(&messages)?, ..Passed::default() };
        if draft.leads_astray() {
            return Err(ASTRAY);
        }
        if self.kind == Kind::List {
            gateway.listed.note(view, draft.tools().map(|(name, _)| name));
        }
        let asks = messages.iter().any(|message| matches!(message, ServerMessage::Request { .. }));
        if asks && self.era() == Era::Modern {
            tracing::warn!(server = %view.server, "a request of the upstream was dropped: its revision has none");
            return Ok(Passed::DROPPED);
        }
        if self.name_tasks(gateway, view, &mut draft).await? == TaskNames::Foreign {
            // Of an answer, somebody waits for it.
            return if passed.ending.is_some() { Err(FOREIGN) } else { Ok(Passed::DROPPED) };
        }
        self.taken_back(gateway, view, &draft).await;
        if asks && !Box::pin(self.questions(gateway, view, &messages, &mut draft)).await {
            return Ok(Passed::DROPPED);
        }
        if self.era() == Era::Modern
            && let Some(withheld) = self.withheld(gateway, view, draft.asks()?).await?
        {
            return Ok(withheld);
        }
        self.asked_by_error(gateway, view, &mut draft).await?;
        self.acknowledged |= self.kind == Kind::Listen && draft.acknowledges_tools();
        let redefined = pins::redefined(gateway, view, &draft).await?;
        passed.settled = self.edit(gateway, view, &redefined, &mut draft)?;
        passed.body = draft.finish();
        Ok(passed)
    }

    /// How the request ended, if one of these is its answer.
    fn ending_among(&self, messages: &[ServerMessage]) -> Result<Option<Ending>, Unreadable> {
        let mut found = None;
        for message in messages {
            if let ServerMessage::Response { id, ending } = message
                && (id.is_none() || *id == self.id)
            {
                found = Some(self.ending(ending)?);
            }
        }
        Ok(found)
    }

    /// What must be changed, by what is answered.
    fn edit(
        &self,
        gateway: &GatewayState,
        view: &GrantView,
        redefined: &[String],
        draft: &mut Draft<'_>,
    ) -> Result<Option<Initialized>, Unreadable> {
        match (self.kind, self.era()) {
            (Kind::Initialize, _) => return draft.initialized(view.surfaces),
            (Kind::Discover, _) => draft.discovered(view.surfaces, MAX_TTL_MS)?,
            (Kind::Call, Era::Modern) => self.wrap_state(gateway, view, draft)?,
            (kind, era) => {
                if kind == Kind::Surface && era == Era::Modern {
                    self.wrap_state(gateway, view, draft)?;
                    draft.keep_private(MAX_TTL_MS);
                }
                let shows = |tool: &str| {
                    view.shows(tool) && !view.changed(tool) && !redefined.iter().any(|name| name == tool)
                };
                draft.filter(&Filter { era, max_ttl_ms: MAX_TTL_MS, shows: &shows });
            }
        }
        Ok(None)
    }

    fn wrap_state(
        &self,
        gateway: &GatewayState,
        view: &GrantView,
        draft: &mut Draft<'_>,
    ) -> Result<(), Unreadable> {
        let Some(bound) = &self.seal else { return Ok(()) };
        let asked = draft.asks()?;
        draft.wrap_state(|upstream| state::seal(gateway, view, (bound, self.approval), (upstream, &asked)))
    }

    /// Puts the client's names of tasks in the place of the upstream's. A task that the answer to a call makes gets one.
    async fn name_tasks(
        &mut self,
        gateway: &GatewayState,
        view: &GrantView,
        draft: &mut Draft<'_>,
    ) -> Result<TaskNames, Unreadable> {
        let makes = self.wants_task && draft.makes_a_task();
        let replies = makes || matches!(self.kind, Kind::Task(_));
        let unknown: Vec<String> = draft
            .tasks(replies)?
            .into_iter()
            .filter(|id| !self.names.contains_key(*id))
            .map(str::to_owned)
            .collect();
        if let (true, Some(tool)) = (makes, &self.tool) {
            for id in unknown {
                let name = Box::pin(tasks::name(gateway, view, (&id, tool), draft.task_lives())).await;
                self.names.insert(id, name.ok_or(Unreadable("its task can't be sealed"))?);
            }
        } else if !unknown.is_empty() {
            self.names.extend(Box::pin(tasks::recall(gateway, view, &unknown)).await);
        }
        Ok(draft.rename_tasks(&self.names, replies))
    }

    /// What tells while an answer comes that it may pass as it is, and whether it does so at once. Nothing where it must be whole
    /// before any of it goes on. Of modern answers, those to calls are looked at more closely; short ones are read.
    pub(super) fn passes_unread(&self) -> Option<(Skim, bool)> {
        match (self.kind, self.era(), &self.id) {
            _ if self.may_be_unread() => Some((Skim::default(), true)),
            (Kind::Call, Era::Modern, Some(id)) => Some((Skim::of_call(id.clone()), false)),
            _ => None,
        }
    }

    /// Whether an answer may pass that can't be read without doubt.
    fn may_be_unread(&self) -> bool {
        let plain = match self.kind {
            Kind::Call => !self.wants_task,
            Kind::Surface | Kind::Other => true,
            _ => false,
        };
        plain && self.era() == Era::Legacy
    }

    /// An unread message in the place of an answer is taken for it.
    fn guess(&self) -> Option<Ending> {
        self.is_request().then_some(Ending::Done)
    }

    fn ending(&self, ending: &server::Ending) -> Result<Ending, Unreadable> {
        let makes_a_task =
            matches!(ending, server::Ending::Result { result_type: Some(kind), .. } if kind == "task");
        if self.era() == Era::Modern && !ending.is_core() && !(makes_a_task && self.wants_task) {
            return Err(Unreadable("it is of a kind that was not asked for"));
        }
        Ok(match ending {
            server::Ending::Error => Ending::RpcError,
            server::Ending::Result { is_error: true, .. } if self.kind == Kind::Call => Ending::ToolError,
            server::Ending::Result { .. } => Ending::Done,
        })
    }
}

const ASTRAY: Unreadable =
    Unreadable("it sends the person at the client to an address that is not of the web");
const FOREIGN: Unreadable = Unreadable("it is about a task of somebody else");
