//! `/o/{org}/log/{decision}`: the four questions about one decision, on one screen.

use askama::Template;
use audit::{Row, ShadowNote};
use axum::extract::State;
use control::Approval;
use domain::{DecisionId, PolicyId, ServerId};
use url::form_urlencoded::byte_serialize;

use super::advice::{Action, actions, sentence, simulate};
use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::lines::{Line, excerpt};
use crate::view::{approvals, filters};

/// Lines shown around the rule.
pub const AROUND: usize = 4;

/// The page.
#[derive(Template)]
#[template(path = "log/decision.html")]
pub struct Decision {
    pub frame: Frame,
    pub row: Row,
    /// The question to a person that it asked, or that let it through.
    pub approval: Option<Approval>,
    /// The rule with the JSON around it; empty where the policy is gone or the rule is none of its text.
    pub excerpt: Vec<Line>,
    /// The rule's place in its version of the policy.
    pub jump: Option<String>,
    pub actions: Vec<Action>,
}

impl Decision {
    /// What was called.
    pub fn subject(&self) -> &str {
        self.row.tool.as_deref().or(self.row.method.as_deref()).unwrap_or("request")
    }

    /// Where the question stands.
    pub fn approval_sentence(approval: &Approval) -> String {
        approvals::sentence(approval)
    }

    /// What became of it.
    pub fn sentence(&self) -> String {
        sentence(&self.row)
    }

    /// What a policy in shadow mode would have done.
    pub fn shadow_sentence(shadow: &ShadowNote) -> String {
        let ShadowNote { outcome, rule, message } = shadow;
        format!("in shadow mode; enforced, it would have been `{outcome}` by `{rule}`: {message}")
    }
}

/// `GET /o/{org}/log/{decision}`
pub async fn decision(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, DecisionId)>,
) -> Result<Page<Decision>, ErrorPage> {
    let row = state.control.decision(&member.actor, id).await?;
    let approval = state.control.approval_of_decision(&member.actor, &row).await?;
    let policy = row.policy.as_ref().map(|policy| (policy.id, policy.version));
    let document = document(&state, &member, policy).await?;
    let frame = member.frame(&state, "log");
    let jump = document.as_ref().and_then(|_| jump(&row, &frame));
    let excerpt = match (&document, &row.rule) {
        (Some(document), Some(rule)) => excerpt(document, rule, AROUND),
        _ => Vec::new(),
    };
    let mut actions = actions(&row, approval.as_ref(), &frame);
    // A policy that is deleted can't be tried any more.
    let deleted = row.policy.is_some() && document.is_none();
    actions.extend(simulate(&row, &frame).filter(|_| !deleted));
    Ok(Page(Decision { frame, row, approval, excerpt, jump, actions }))
}

/// The text that judged; none where no policy did, or it is deleted.
pub async fn document(
    state: &DashboardState,
    member: &Member,
    policy: Option<(PolicyId, u32)>,
) -> Result<Option<String>, ErrorPage> {
    let Some((policy, version)) = policy else { return Ok(None) };
    match state.control.policy(&member.actor, policy, Some(version)).await {
        Ok(version) => Ok(Some(version.document)),
        Err(control::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn jump(row: &Row, frame: &Frame) -> Option<String> {
    let (server, policy) = (row.server.as_ref()?, row.policy.as_ref()?);
    Some(version_at(frame, server.id, (policy.id, policy.version), row.rule.as_deref()))
}

/// The address of a version of a policy, at a rule.
pub fn version_at(
    frame: &Frame,
    server: ServerId,
    (policy, version): (PolicyId, u32),
    rule: Option<&str>,
) -> String {
    let version = frame.path(&format!("/servers/{server}/policies/{policy}/versions/{version}"));
    match rule {
        Some(rule) => format!("{version}?rule={}#rule", byte_serialize(rule.as_bytes()).collect::<String>()),
        None => version,
    }
}
