//! `/o/{org}/approvals`: the calls that wait for a person, then those that did. Of their arguments only the page of one shows values.

use askama::Template;
use axum::extract::{RawQuery, State};
use control::{Approval, ApprovalFilter, Server};
use domain::{ApprovalId, ApprovalState, ServerId};
use url::form_urlencoded::Serializer;

use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::render::Page;
use crate::state::DashboardState;
use crate::view::{approvals, filters};

/// Questions on a page.
const LIMIT: usize = 50;
/// Questions that wait, above those.
const MOST_WAITING: usize = 200;

/// The page.
#[derive(Template)]
#[template(path = "approvals/list.html")]
pub struct List {
    pub frame: Frame,
    /// The filters as typed, with what is wrong.
    pub form: Form,
    /// The filters as the query part of an address.
    pub query: String,
    /// What waits; on the first page of all states only.
    pub waiting: Vec<Approval>,
    /// More wait than are listed.
    pub more_wait: bool,
    /// The others, newest first; those of the state that is asked for.
    pub listed: Vec<Approval>,
    /// Where the next page begins.
    pub next: Option<ApprovalId>,
    /// What can be chosen.
    pub servers: Vec<Server>,
}

impl List {
    /// Values and words of the select.
    pub fn states() -> [(&'static str, &'static str); ApprovalState::ALL.len()] {
        ApprovalState::ALL.map(|state| (state.as_str(), approvals::word(state)))
    }

    /// Something narrows the list.
    pub fn filtered(&self) -> bool {
        !self.query.is_empty()
    }

    /// Newer questions are on the pages before.
    pub fn later(&self) -> bool {
        !self.form.value("cursor").is_empty()
    }

    /// What waits has a part of its own, above the others.
    pub fn parted(&self) -> bool {
        self.form.value("state").is_empty() && !self.later()
    }

    /// What is wrong with the filters.
    pub fn problems(&self) -> Vec<(String, String)> {
        self.form.all_problems()
    }
}

/// `GET /o/{org}/approvals`
pub async fn list(
    State(state): State<DashboardState>,
    member: Member,
    RawQuery(text): RawQuery,
) -> Result<Page<List>, ErrorPage> {
    let mut form = Form::read(text.as_deref().unwrap_or_default().as_bytes());
    let filter = ApprovalFilter {
        state: parsed(&mut form, "state"),
        server: parsed::<ServerId>(&mut form, "server"),
        before: parsed(&mut form, "cursor"),
    };
    let (control, actor) = (&state.control, &member.actor);
    let mut page = control.approvals(actor, filter, LIMIT).await?;
    let (mut waiting, mut more_wait) = (Vec::new(), false);
    if filter.state.is_none() {
        page.approvals.retain(|approval| approval.state != ApprovalState::Pending);
        if filter.before.is_none() {
            let pending = ApprovalFilter { state: Some(ApprovalState::Pending), ..filter };
            let pending = control.approvals(actor, pending, MOST_WAITING).await?;
            (waiting, more_wait) = (pending.approvals, pending.next.is_some());
        }
    }
    Ok(Page(List {
        frame: member.frame(&state, "approvals"),
        query: query(&form),
        form,
        waiting,
        more_wait,
        listed: page.approvals,
        next: page.next,
        servers: control.servers(actor).await?,
    }))
}

/// The filters alone, as the query part of an address.
fn query(form: &Form) -> String {
    let kept = form.pairs().filter(|(name, value)| matches!(*name, "state" | "server") && !value.is_empty());
    Serializer::new(String::new()).extend_pairs(kept).finish()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(form: &mut Form, name: &str) -> Option<T> {
    let typed = form.given(name)?;
    typed.trim().parse().map_err(|problem| form.refuse(name, &problem)).ok()
}
