//! What the policy says about a request. Pure, but for what it is handed.

use domain::{Outcome, Surface, Surfaces};
use mcp::{ClientInfo, ToolCall, Version};
use policy::{ArgumentSchema, Call, Charge, Context, Policy, Refusal, Shadow, ToolState, Verdict};
use storage::TakenApproval;

use crate::directory::{GrantView, Rules, Tool};
use crate::sessions::Session;

/// A request that wants to be forwarded, or one of the server that wants to reach the client.
pub(crate) struct Ask<'a> {
    /// What it is about.
    pub subject: Subject<'a>,
    /// The session it belongs to.
    pub session: Option<&'a Session>,
    /// Who says it calls.
    pub client: Option<&'a ClientInfo>,
    /// The version it speaks.
    pub version: Version,
    /// What its `inputResponses` answer.
    pub answers: Surfaces,
    /// What it costs to ask about a task.
    pub poll: Option<Charge>,
    /// The approval that let the round before through.
    pub approved: Option<TakenApproval>,
    /// It is about a handle of ours, so that it is answered here.
    pub ours: bool,
}

/// What a request is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject<'a> {
    /// A tool call.
    Call(&'a ToolCall<'a>),
    /// A part of the protocol beside tools.
    Surface(Surface),
    /// What a call of this tool has made: a task.
    Task(&'a str),
    /// A method that the server's settings list, as long as they do: open to every grant with a policy.
    Custom(&'a str),
    /// A method that nobody lists.
    Unknown,
    /// Anything else that has come this far passes: methods that must not were refused before.
    Other,
}

impl<'a> Ask<'a> {
    /// A request about this that no session, no client and no round before says more of.
    pub fn new(subject: Subject<'a>, version: Version) -> Self {
        Self {
            subject,
            session: None,
            client: None,
            version,
            answers: Surfaces::NONE,
            poll: None,
            approved: None,
            ours: false,
        }
    }

    /// The tool call in it.
    pub fn call(&self) -> Option<&'a ToolCall<'a>> {
        match self.subject {
            Subject::Call(call) => Some(call),
            _ => None,
        }
    }
}

/// What became of a request, before any limit is taken.
#[derive(Debug)]
pub(crate) enum Judged {
    /// Goes on once these limits are taken.
    Allow { charges: Vec<Charge>, shadow: Option<Shadow> },
    /// Does not go on: `Deny` or `Hidden`.
    Refuse { outcome: Outcome, refusal: Refusal },
    /// A person must approve it, who has so many seconds where the rule says it.
    Pending { refusal: Refusal, lives: Option<u64> },
}

impl Judged {
    const ALLOWED: Self = Self::Allow { charges: Vec::new(), shadow: None };

    pub fn charges(&self) -> &[Charge] {
        match self {
            Self::Allow { charges, .. } => charges,
            Self::Refuse { .. } | Self::Pending { .. } => &[],
        }
    }

    pub fn denied(refusal: Refusal) -> Self {
        Self::Refuse { outcome: Outcome::Deny, refusal }
    }
}

/// Judges a request by a grant's policy. What a person must approve is pending, unless they have.
pub(crate) fn judge(view: &GrantView, ask: &Ask<'_>, approved: bool) -> Judged {
    if matches!(ask.subject, Subject::Other) {
        return Judged::Allow { charges: ask.poll.iter().cloned().collect(), shadow: None };
    }
    let policy = match &view.rules {
        Rules::None => return Judged::denied(policy::no_policy()),
        Rules::Unreadable(_) => return Judged::denied(policy::invalid()),
        Rules::Read(_, policy) => policy,
    };
    let verdict = match ask.subject {
        Subject::Call(call) => judge_call(policy, view, (call, approved), ask),
        Subject::Surface(surface) => policy.judge_surface(surface),
        Subject::Task(tool) => policy.judge_tool(tool),
        Subject::Unknown => return Judged::denied(unknown_method()),
        // They may have been changed since the request was looked at.
        Subject::Custom(method) if !view.target.lets_pass(method) => return Judged::denied(unknown_method()),
        Subject::Custom(_) | Subject::Other => return Judged::ALLOWED,
    };
    match verdict {
        Verdict::Allow { mut charges, shadow } => {
            if let Some(refusal) = closed(policy, ask.answers) {
                return Judged::denied(refusal);
            }
            charges.extend(ask.poll.clone());
            Judged::Allow { charges, shadow }
        }
        Verdict::Deny(refusal) => Judged::denied(refusal),
        Verdict::Hide(refusal) => Judged::Refuse { outcome: Outcome::Hidden, refusal },
        Verdict::Pending { refusal, expires_in } => Judged::Pending { refusal, lives: expires_in },
    }
}

/// Why the client may not answer, as the rules are now, what it was asked before.
fn closed(policy: &Policy, answers: Surfaces) -> Option<Refusal> {
    let answered = Surface::ALL.into_iter().filter(|surface| answers.has(*surface));
    answered.map(|surface| policy.judge_surface(surface)).find_map(|verdict| match verdict {
        Verdict::Deny(refusal) => Some(refusal),
        _ => None,
    })
}

fn judge_call(
    policy: &Policy,
    view: &GrantView,
    (call, approved): (&ToolCall<'_>, bool),
    ask: &Ask<'_>,
) -> Verdict {
    let call = Call {
        tool: call.name,
        arguments: call.arguments,
        context: Context {
            grant_label: Some(&view.label),
            grant_identity: Some(&view.identity),
            client_name: ask.client.map(|client| client.name.as_str()),
            client_version: ask.client.map(|client| client.version.as_str()),
            server_name: Some(&view.target.name),
        },
        state: ToolState { changed: view.changed(call.name), schema: schema(policy, view, call.name) },
    };
    if approved { policy.judge_approved(&call) } else { policy.judge(&call) }
}

/// What the arguments are checked against, where they are: compiling it takes time and room.
fn schema<'a>(policy: &Policy, view: &'a GrantView, tool: &str) -> Option<&'a ArgumentSchema> {
    let checked = policy.validates_arguments();
    checked.then(|| view.target.tools.get(tool)).flatten().and_then(Tool::arguments)
}

fn unknown_method() -> Refusal {
    Refusal {
        rule: "(unknown method)".into(),
        message: "this method does not pass this gateway: the server's settings can list it".into(),
        conditions: Vec::new(),
    }
}
