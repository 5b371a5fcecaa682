//! One call judged by a document that need not be saved, as the gateway would judge it. Saves nothing, takes nothing.

use domain::ServerId;
use json::Value;
use policy::{ArgumentSchema, Call, Context, Policy, ToolState};

use super::context::CallContext;
use super::verdict::SimulationResult;
use crate::{Actor, Control, Error, ProtocolSettings, Tool};

/// How deep a call's arguments may be nested, as on the wire.
const ARGUMENTS_DEPTH: usize = 64;

/// One call to try a document on.
#[derive(Clone, Debug, Default)]
pub struct Simulation {
    /// The policy language v1, as text.
    pub document: String,
    /// The tool called.
    pub tool: String,
    /// Its arguments, as JSON text; empty for none.
    pub arguments: String,
    /// Who calls, and from where.
    pub context: CallContext,
}

impl Control {
    /// What a document would do to one call, were all limits unused.
    pub async fn simulate(
        &self,
        actor: &Actor,
        server: ServerId,
        input: &Simulation,
    ) -> Result<SimulationResult, Error> {
        let tools = self.tools(actor, server).await?;
        let pins = Pins::of(self.protocol(actor, server).await?);
        let server = self.server(actor, server).await?;
        let policy = super::read(&input.document).map_err(Error::InvalidPolicy)?;
        let arguments = arguments(&input.arguments)?;
        let known = tools.iter().find(|tool| tool.name == input.tool);
        let bench = Bench {
            context: input.context.of_server(&server.name),
            session: input.context.session,
            schema: known.and_then(schema),
            changed: pins.refuse(&input.tool, known.is_some()),
        };
        let judged = bench.judge(&policy, &input.tool, arguments.as_ref());
        Ok(SimulationResult { tool_known: known.is_some(), ..judged })
    }
}

/// All of a call but the policy, the tool's name and the arguments.
pub(super) struct Bench<'a> {
    pub context: Context<'a>,
    pub session: bool,
    /// What the tool takes, as far as that is known.
    pub schema: Option<ArgumentSchema>,
    /// The server's tools are pinned, and this one's definition is not the one that was approved.
    pub changed: bool,
}

/// Whether a server's tools are held to the definitions that were approved, and which are not as they were.
pub(super) struct Pins {
    pinned: bool,
    unapproved: Vec<String>,
}

impl Pins {
    pub(super) fn of(settings: ProtocolSettings) -> Self {
        Self { pinned: settings.pin_tools, unapproved: settings.unapproved_tools }
    }

    /// As in the gateway: a tool that the server never listed has not been approved either.
    pub(super) fn refuse(&self, tool: &str, known: bool) -> bool {
        self.pinned && (!known || self.unapproved.iter().any(|name| name == tool))
    }
}

impl Bench<'_> {
    /// The verdict, with limits that no count could ever hold taken into it.
    pub(super) fn judge(
        &self,
        policy: &Policy,
        tool: &str,
        arguments: Option<&Value<'_>>,
    ) -> SimulationResult {
        let state = ToolState { changed: self.changed, schema: self.schema.as_ref() };
        let verdict = policy.judge(&Call { tool, arguments, context: self.context, state });
        SimulationResult::of(policy, tool, verdict, self.session)
    }
}

/// As in the gateway: a schema that can't be compiled is none.
pub(super) fn schema(tool: &Tool) -> Option<ArgumentSchema> {
    ArgumentSchema::compile(&tool.input_schema).ok()
}

fn arguments(text: &str) -> Result<Option<Value<'_>>, Error> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let value = json::parse(text.as_bytes(), ARGUMENTS_DEPTH).map_err(|error| {
        let at = json::line_column(text.as_bytes(), error.offset);
        let place = format!("line {}, column {}", at.line, at.column);
        Error::field("/arguments", format!("are not JSON that is taken: {place}: {}", error.kind))
    })?;
    if value.as_object().is_none() {
        return Err(Error::field("/arguments", "are not an object: write them like { \"run_id\": \"...\" }"));
    }
    Ok(Some(value))
}
