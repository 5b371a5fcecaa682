//! What the policy says about a request. Pure, but for what it is handed.

use domain::Outcome;
use mcp::{ClientInfo, ToolCall, Version};
use policy::{Call, Charge, Context, Refusal, Shadow, ToolState, Verdict};

use crate::directory::{GrantView, Rules, Tool};
use crate::sessions::Session;

/// A request that wants to be forwarded.
pub(crate) struct Ask<'a> {
    /// The tool call in it. Anything else that has come this far passes: methods that must not were refused before.
    pub call: Option<&'a ToolCall<'a>>,
    /// The session it belongs to.
    pub session: Option<&'a Session>,
    /// Who says it calls.
    pub client: Option<&'a ClientInfo>,
    /// The version it speaks.
    pub version: Version,
}

/// What became of a request, before any limit is taken.
#[derive(Debug)]
pub(crate) enum Judged {
    /// Goes on once these limits are taken.
    Allow { charges: Vec<Charge>, shadow: Option<Shadow> },
    /// Does not go on: `Deny`, `Hidden` or `Pending`.
    Refuse { outcome: Outcome, refusal: Refusal },
}

impl Judged {
    pub fn charges(&self) -> &[Charge] {
        match self {
            Self::Allow { charges, .. } => charges,
            Self::Refuse { .. } => &[],
        }
    }
}

/// Judges a request by a grant's policy.
pub(crate) fn judge(view: &GrantView, ask: &Ask<'_>) -> Judged {
    let Some(call) = ask.call else { return Judged::Allow { charges: Vec::new(), shadow: None } };
    let deny = |refusal| Judged::Refuse { outcome: Outcome::Deny, refusal };
    let policy = match &view.rules {
        Rules::None => return deny(policy::no_policy()),
        Rules::Unreadable(_) => return deny(policy::invalid()),
        Rules::Read(_, policy) => policy,
    };
    let verdict = policy.judge(&Call {
        tool: call.name,
        arguments: call.arguments,
        context: Context {
            grant_label: Some(&view.label),
            grant_identity: Some(&view.identity),
            client_name: ask.client.map(|client| client.name.as_str()),
            client_version: ask.client.map(|client| client.version.as_str()),
            server_name: Some(&view.server_name),
        },
        state: ToolState { changed: false, schema: view.tools.get(call.name).and_then(Tool::arguments) },
    });
    match verdict {
        Verdict::Allow { charges, shadow } => Judged::Allow { charges, shadow },
        Verdict::Deny(refusal) => deny(refusal),
        Verdict::Hide(refusal) => Judged::Refuse { outcome: Outcome::Hidden, refusal },
        Verdict::Pending { refusal, .. } => Judged::Refuse { outcome: Outcome::Pending, refusal },
    }
}
