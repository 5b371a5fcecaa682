//! What to do about a decision: links to where it can be changed, in the order that people want them.

use audit::Row;
use control::Approval;
use domain::{ApprovalState, Outcome};
use url::form_urlencoded::byte_serialize;

use crate::frame::Frame;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// A verb and its object.
    pub name: &'static str,
    /// Where; none where it is done elsewhere.
    pub href: Option<String>,
    /// Why.
    pub text: &'static str,
}

/// What became of the request, in a sentence.
pub fn sentence(row: &Row) -> String {
    if let Some(message) = row.message.as_ref().or(row.failure.as_ref()) {
        return message.clone();
    }
    match row.outcome {
        Outcome::Allow => "the policy let it through to the upstream",
        Outcome::Deny => "the policy refused it, and the upstream never saw it",
        Outcome::Hidden => {
            "the tool is hidden from this grant: the caller was told that there is no such tool"
        }
        Outcome::Limit => "a limit was used up, and the upstream never saw it",
        Outcome::Pending => "a person must approve it first",
        Outcome::Error => "it was let through, and the upstream failed",
        Outcome::Unauthenticated => "the request had no token of a working grant of this server",
        Outcome::Malformed => "the request can't be read safely, and the upstream never saw it",
    }
    .to_owned()
}

/// Where the call can be tried without making it: on its policy, or where it had none, on what is proposed.
pub fn simulate(row: &Row, frame: &Frame) -> Option<Action> {
    let (server, _) = (row.server.as_ref()?, row.tool.as_ref()?);
    let (policy, text) = match &row.policy {
        Some(policy) => (policy.id.to_string(), "under the policy as it is now, or as you would have it."),
        None if row.outcome == Outcome::Deny => ("new".to_owned(), "under what is proposed for the server."),
        None => return None,
    };
    let path = format!("/servers/{}/policies/{policy}/simulate?decision={}", server.id, row.id);
    Some(Action { name: "Simulate this call", href: Some(frame.path(&path)), text })
}

/// What can be done about it by somebody who may.
pub fn actions(row: &Row, approval: Option<&Approval>, frame: &Frame) -> Vec<Action> {
    let server = row.server.as_ref().map(|server| frame.path(&format!("/servers/{}", server.id)));
    let at = |rest: String| server.as_ref().map(|server| format!("{server}{rest}"));
    let rule = row.rule.as_ref().map(|rule| byte_serialize(rule.as_bytes()).collect::<String>());
    let rule = rule.map(|rule| format!("?rule={rule}")).unwrap_or_default();
    let policy = row.policy.as_ref().and_then(|policy| at(format!("/policies/{}{rule}", policy.id)));
    let grant = row.grant.as_ref().and_then(|grant| at(format!("/grants/{}", grant.id)));
    let edit = |text| Action { name: "Edit the policy", href: policy.clone(), text };
    let attach = |text| Action {
        name: "Attach another policy",
        href: grant.as_ref().map(|grant| format!("{grant}#policy")),
        text,
    };
    let all = match row.outcome {
        Outcome::Deny | Outcome::Hidden if row.policy.is_none() => {
            vec![attach("to this grant: without one, every call is denied.")]
        }
        Outcome::Deny | Outcome::Hidden => vec![
            edit("if every grant under it should be allowed this call."),
            attach("to this grant, if only it should be."),
        ],
        Outcome::Limit => vec![
            edit("to raise the limit, or to count it for another scope."),
            attach("to this grant, if only it should have more."),
        ],
        Outcome::Error => vec![Action {
            name: "Look at the server",
            href: at("/settings".to_owned()),
            text: "if it fails often: its address or credentials may have changed.",
        }],
        Outcome::Unauthenticated => vec![Action {
            name: "Look at the server's grants",
            href: at("/grants".to_owned()),
            text: "the token may be revoked, expired, or of another server.",
        }],
        Outcome::Malformed => vec![Action {
            name: "Mend the client",
            href: None,
            text: "two parsers could read this request differently, so it is never forwarded.",
        }],
        Outcome::Pending => {
            let question = approval.map(|approval| question(approval, frame));
            question.into_iter().chain([edit("if calls like this need nobody's approval.")]).collect()
        }
        Outcome::Allow => vec![
            edit("if calls like this should not go through."),
            Action {
                name: "Revoke the grant",
                href: grant.clone(),
                text: "if this caller should not call at all.",
            },
        ],
    };
    all.into_iter().filter(|action| action.href.is_some() || row.outcome == Outcome::Malformed).collect()
}

/// The question to a person about a call that was told to wait.
fn question(approval: &Approval, frame: &Frame) -> Action {
    let text = match approval.state {
        ApprovalState::Pending => "this call waits for a person, and its agent for them.",
        ApprovalState::Approved => "it was approved: the agent can call again now.",
        ApprovalState::Used => "it was approved, and the call was made.",
        ApprovalState::Refused => "it was refused, and the agent is told so when it calls again.",
        ApprovalState::Expired => "it ran out: the agent can call again, which asks anew.",
        ApprovalState::Withdrawn => "the client no longer wants to make the call.",
    };
    let decides = approval.state == ApprovalState::Pending && frame.edits();
    let name = if decides { "Approve or refuse it" } else { "Show the question" };
    Action { name, href: Some(frame.path(&format!("/approvals/{}", approval.id))), text }
}
