//! `/o/{org}/approvals/{approval}`: one call that waits for a person, what they need to know of it, and what they say.
//!
//! The one page that shows the values of a call's arguments, to those who may decide and while it waits: nobody can approve what
//! they can't see. It is not stored by the browser, like every page.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{Approval, ApprovalDetail, ApprovalRemark, ShownArguments};
use domain::{ApprovalId, ApprovalState};
use http::StatusCode;

use crate::at::At;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::log::decision::{AROUND, document, version_at};
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::lines::{Line, excerpt};
use crate::view::{approvals, filters};

/// The page.
#[derive(Template)]
#[template(path = "approvals/question.html")]
pub struct Question {
    pub frame: Frame,
    pub facts: Approval,
    /// The arguments, while the reader may decide.
    pub arguments: Option<ShownArguments>,
    /// The rule with the JSON around it; empty where the policy is gone.
    pub excerpt: Vec<Line>,
    /// The rule's place in its version of the policy.
    pub jump: Option<String>,
    /// What was typed, and what is wrong with it.
    pub form: Form,
}

impl Question {
    /// It waits for a person.
    pub fn waits(&self) -> bool {
        self.facts.state == ApprovalState::Pending
    }

    /// Where it stands.
    pub fn sentence(&self) -> String {
        approvals::sentence(&self.facts)
    }
}

/// `GET /o/{org}/approvals/{approval}`
pub async fn question(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ApprovalId)>,
) -> Result<Page<Question>, ErrorPage> {
    Ok(Page(of(&state, &member, id, Form::default()).await?))
}

/// `POST /o/{org}/approvals/{approval}`: with `do`, `approve` or `refuse`.
pub async fn decide(
    State(state): State<DashboardState>,
    member: Member,
    At((_, id)): At<(String, ApprovalId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    // It is typed into a field of several lines, so that Enter decides nothing.
    let note = form.value("note").replace(['\n', '\t'], " ");
    let remark = ApprovalRemark { note: Some(note) };
    let (control, actor) = (&state.control, &member.actor);
    let decided = match form.value("do") {
        "approve" => control.approve_call(actor, id, &remark).await,
        "refuse" => control.refuse_call(actor, id, &remark).await,
        _ => return Err(ErrorPage::NotFound),
    };
    let Err(error) = decided else {
        return Ok(Redirect::to(&member.path(&format!("/approvals/{id}"))).into_response());
    };
    let status = match &error {
        control::Error::Conflict(_) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    form.absorb(error)?;
    Ok((status, Page(of(&state, &member, id, form).await?)).into_response())
}

async fn of(
    state: &DashboardState,
    member: &Member,
    id: ApprovalId,
    form: Form,
) -> Result<Question, ErrorPage> {
    let ApprovalDetail { approval: facts, arguments } = state.control.approval(&member.actor, id).await?;
    let policy = facts.policy.as_ref().map(|policy| (policy.id, policy.version));
    let document = document(state, member, policy).await?;
    let frame = member.frame(state, "approvals");
    let jump = policy.filter(|_| document.is_some());
    let jump = jump.map(|policy| version_at(&frame, facts.server_id, policy, Some(&facts.rule)));
    let excerpt = document.map(|document| excerpt(&document, &facts.rule, AROUND)).unwrap_or_default();
    Ok(Question { frame, facts, arguments, excerpt, jump, form })
}
