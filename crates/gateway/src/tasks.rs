//! Tasks of the upstream. It takes all our grants for one caller, and who holds a task's id can read it: so what the client
//! holds is the id sealed for one grant, server and tool, and opens for nobody else.
//!
//! Which tasks a grant has is also kept in Redis, for lists and for news that come unasked: there the upstream's id is all
//! that is told, and one that was never given to this grant is not passed on.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{ApprovalId, ServerId};
use mcp::tasks::{self, Names};
use mcp::{Era, Message, Rule, TaskMethod};
use policy::{Charge, Limit};
use serde::{Deserialize, Serialize};
use vault::Place;

use crate::directory::GrantView;
use crate::judge::{self, Ask, Judged, Subject};
use crate::refusal::Refusal;
use crate::state::Gateway;

/// Longest id that is opened; ours are far shorter.
const MAX_SEALED: usize = 4096;
/// How long a task is remembered whose upstream names no time, or a longer one.
const KEPT: Duration = Duration::from_hours(7 * 24);

/// One question, in millionths.
const ONE: u64 = 1_000_000;

/// What is sealed. Short names: it travels with every request.
#[derive(Serialize, Deserialize)]
struct Inner {
    s: ServerId,
    t: String,
    u: String,
    /// Instead of an upstream's task: our handle of a call that waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<ApprovalId>,
}

/// The tasks that a client's message names.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// The client's names to the upstream's.
    pub names: Names,
    /// The tool that made the first of them.
    pub tool: Option<String>,
    /// What it names is a handle of ours.
    pub approval: Option<ApprovalId>,
}

/// What a question about a task takes from the limit on such questions: one count for each task of a grant, and one for its
/// lists.
pub(crate) fn poll(gateway: &Gateway, rule: Rule, named: &Named) -> Option<Charge> {
    let key = match rule {
        Rule::Task(TaskMethod::Get | TaskMethod::Result) => match named.approval {
            Some(approval) => Some(approval.to_string()),
            None => Some(named.names.values().next()?.clone()),
        },
        Rule::Task(TaskMethod::List) => None,
        _ => return None,
    };
    Some(Charge { limit: Arc::clone(&gateway.task_polls), amount_micros: ONE, key, shadow: false })
}

/// The limit itself: so many in any minute.
pub(crate) fn poll_limit(max: u32) -> Arc<Limit> {
    let message = "this is asked too often: ask again later, and less often";
    Arc::new(Limit::of_grant("(task polls)", 60, max, message))
}

fn place(view: &GrantView) -> Place<'static> {
    Place::McpTask { tenant: view.tenant, grant: view.grant }
}

/// Opens every task that a message names. What is listened for must be of tools that the grant may still call.
pub(crate) fn named_by(
    gateway: &Gateway,
    view: &GrantView,
    message: &Message<'_>,
    (rule, era): (Rule, Era),
) -> Result<Named, Refusal> {
    let mut named = Named::default();
    for sealed in tasks::named_by(message)? {
        let inner = open(gateway, view, sealed);
        let inner = inner.filter(|inner| match (rule, inner.a) {
            (Rule::Task(TaskMethod::Get | TaskMethod::Update | TaskMethod::Cancel), _) => true,
            // Nothing else is known of a handle of ours, and the upstream knows nothing of it.
            (_, Some(_)) => false,
            (Rule::Listen, None) => may_call(view, &inner.t),
            _ => true,
        });
        let Some(inner) = inner else {
            let request = match message {
                Message::Request(request) => Some(request),
                Message::Notification(_) | Message::Response(_) => None,
            };
            return Err(tasks::not_found(era, request).into());
        };
        named.tool.get_or_insert(inner.t);
        match inner.a {
            Some(approval) => named.approval = Some(approval),
            None => _ = named.names.insert(sealed.to_owned(), inner.u),
        }
    }
    Ok(named)
}

fn open(gateway: &Gateway, view: &GrantView, sealed: &str) -> Option<Inner> {
    let record = URL_SAFE_NO_PAD.decode(sealed).ok().filter(|_| sealed.len() <= MAX_SEALED)?;
    let opened = gateway.parts.keyring.open(&record, place(view)).ok()?;
    serde_json::from_slice(opened.expose()).ok().filter(|inner: &Inner| inner.s == view.server)
}

/// Names a new task of a tool, and remembers it for as long as the upstream keeps it.
pub(crate) async fn name(
    gateway: &Gateway,
    view: &GrantView,
    (upstream, tool): (&str, &str),
    lives_ms: Option<u64>,
) -> Option<String> {
    let inner = Inner { s: view.server, t: tool.to_owned(), u: upstream.to_owned(), a: None };
    let sealed = seal(gateway, view, &inner)?;
    let kept =
        lives_ms.map_or(KEPT, |lives| Duration::from_millis(lives).clamp(Duration::from_mins(1), KEPT));
    let key = key(view, upstream);
    if let Err(error) = gateway.parts.ledger.keep_task(view.tenant, &key, &sealed, kept).await {
        tracing::warn!(server = %view.server, %error, "a task will be missing from lists of tasks");
    }
    Some(sealed)
}

/// Names the handle of a call of a tool that waits for a person.
pub(crate) fn name_approval(
    gateway: &Gateway,
    view: &GrantView,
    tool: &str,
    approval: ApprovalId,
) -> Option<String> {
    let inner = Inner { s: view.server, t: tool.to_owned(), u: String::new(), a: Some(approval) };
    seal(gateway, view, &inner)
}

fn seal(gateway: &Gateway, view: &GrantView, inner: &Inner) -> Option<String> {
    let plain = serde_json::to_vec(inner).ok()?;
    let record = gateway.parts.keyring.seal(&plain, place(view), &gateway.parts.entropy).ok()?;
    Some(URL_SAFE_NO_PAD.encode(record))
}

/// The names of those of an upstream's tasks that are this grant's, and of tools that it may still call.
pub(crate) async fn recall(gateway: &Gateway, view: &GrantView, upstream: &[String]) -> Names {
    let keys: Vec<_> = upstream.iter().map(|id| key(view, id)).collect();
    let names = gateway.parts.ledger.task_names(view.tenant, &keys).await.unwrap_or_else(|error| {
        tracing::warn!(server = %view.server, %error, "tasks can't be told apart now, and are left out");
        Vec::new()
    });
    let own = upstream.iter().zip(names).filter_map(|(id, name)| {
        let name = name?;
        let inner = open(gateway, view, &name).filter(|inner| inner.u == *id)?;
        may_call(view, &inner.t).then(|| (id.clone(), name))
    });
    own.collect()
}

fn key(view: &GrantView, upstream: &str) -> [u8; 32] {
    let (grant, server) = (view.grant.uuid(), view.server.uuid());
    vault::sha256(&[grant.as_bytes(), server.as_bytes(), upstream.as_bytes()].concat())
}

fn may_call(view: &GrantView, tool: &str) -> bool {
    let ask = Ask::new(Subject::Task(tool), mcp::Version::NEWEST_LEGACY);
    matches!(judge::judge(view, &ask, false), Judged::Allow { .. })
}
