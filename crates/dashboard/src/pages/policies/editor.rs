//! `/o/{org}/servers/{server}/policies/{policy}`: text and table of one policy; checking and saving it.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use control::{Conflict, PolicyCheck, PolicySummary, SavePolicy};
use domain::{PolicyId, ServerId};
use serde::Deserialize;

use super::choices::{ToolRow, WINDOWS, changed, rows};
use crate::at::{Asked, At};
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::frame::Frame;
use crate::pages::servers::view::View;
use crate::render::{Page, refused};
use crate::state::DashboardState;
use crate::view::filters;

/// The page: of a policy, or of one that is not saved yet.
#[derive(Template)]
#[template(path = "policies/editor.html")]
pub struct Editor {
    pub frame: Frame,
    pub view: View,
    pub policy: Option<PolicySummary>,
    /// Where the form goes.
    pub action: String,
    /// Name and expected version.
    pub form: Form,
    pub document: String,
    pub check: PolicyCheck,
    /// The reader asked whether it can be saved.
    pub checked: bool,
    pub tools: Vec<ToolRow>,
    pub gutter: Vec<Gutter>,
    /// The version that was saved a moment ago.
    pub saved: Option<u32>,
    /// The form that renames the policy.
    pub naming: Form,
}

/// The number of a line, and whether something is wrong with it.
#[derive(Clone, Debug)]
pub struct Gutter {
    pub number: u32,
    /// `bad`, `warn` or nothing.
    pub kind: &'static str,
}

/// What to say above the editor.
#[derive(Deserialize)]
pub struct Said {
    saved: Option<u32>,
}

impl Editor {
    /// The editor of this text, looked at against the tools of the server.
    pub async fn of(
        state: &DashboardState,
        member: &Member,
        view: View,
        policy: Option<PolicySummary>,
        (document, form): (String, Form),
    ) -> Result<Self, ErrorPage> {
        let server = view.server.id;
        let check = state.control.check_policy(&member.actor, server, &document).await?;
        let tools = rows(&state.control.tools(&member.actor, server).await?, &check.effects);
        let part = policy.as_ref().map_or_else(|| "new".to_owned(), |policy| policy.id.to_string());
        let naming = Form::with([("name", policy.as_ref().map_or("", |policy| &policy.name))]);
        Ok(Self {
            frame: member.frame(state, "servers"),
            action: member.path(&format!("/servers/{server}/policies/{part}")),
            gutter: gutter(&document, &check),
            checked: false,
            saved: None,
            view,
            policy,
            form,
            document,
            check,
            tools,
            naming,
        })
    }

    /// Rows of the text box: all of the text, at least sixteen.
    pub fn rows(&self) -> usize {
        self.gutter.len().max(16)
    }
}

/// `GET /o/{org}/servers/{server}/policies/{policy}`
pub async fn editor(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    Asked(said): Asked<Said>,
) -> Result<Page<Editor>, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let form = Form::with([("expected_version", &policy.summary.version.to_string())]);
    let summary = policy.summary;
    let saved = said.saved.filter(|saved| *saved == summary.version);
    let page = Editor::of(&state, &member, view, Some(summary), (policy.document, form)).await?;
    Ok(Page(Editor { saved, ..page }))
}

/// `POST /o/{org}/servers/{server}/policies/{policy}`: writes choices into the text, checks it, or saves it.
pub async fn submit(
    State(state): State<DashboardState>,
    member: Member,
    At((_, server, id)): At<(String, ServerId, PolicyId)>,
    mut form: Form,
) -> Result<Response, ErrorPage> {
    let (view, policy) = opened(&state, &member, server, id).await?;
    let document = written(&mut form);
    if form.value("do") == "save" && form.is_clean() {
        let expected_version = form.value("expected_version").parse().unwrap_or_default();
        let input = SavePolicy { expected_version, document: document.clone() };
        match state.control.save_policy(&member.actor, id, &input).await {
            Ok(saved) => {
                let path =
                    member.path(&format!("/servers/{server}/policies/{id}?saved={}", saved.summary.version));
                return Ok(Redirect::to(&path).into_response());
            }
            Err(error) => unsaved(&mut form, error)?,
        }
    }
    let again = form.value("do") == "save" || !form.is_clean();
    let page = Editor::of(&state, &member, view, Some(policy.summary), (document, form)).await?;
    let page = Editor { checked: true, ..page };
    Ok(if again { refused(page) } else { Page(page).into_response() })
}

/// The policy and the head of its server; a policy of another server is not found here.
pub async fn opened(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    id: PolicyId,
) -> Result<(View, control::Policy), ErrorPage> {
    let policy = state.control.policy(&member.actor, id, None).await?;
    if policy.summary.server_id != server {
        return Err(ErrorPage::NotFound);
    }
    let view = View::of(state, member, server, "/policies").await?;
    Ok((view.deeper(member, &policy.summary.name, &[("/policies", "Policies")]), policy))
}

/// The typed text with the choices of the table written into it. A text that can't be read stays as it is: the
/// check says why.
pub fn written(form: &mut Form) -> String {
    let document = form.value("document").to_owned();
    let choices = changed(form);
    if choices.is_empty() {
        return document;
    }
    match control::choose(&document, &choices) {
        Ok(written) => written,
        Err(control::Error::InvalidPolicy(_)) => document,
        Err(error) => {
            form.refuse("", &error);
            document
        }
    }
}

/// Why it was not saved. After a conflict the next save stands on top of the version in force: the page says so.
pub fn unsaved(form: &mut Form, error: control::Error) -> Result<(), ErrorPage> {
    match error {
        // The check of the page names every problem at its line.
        control::Error::InvalidPolicy(_) => Ok(()),
        control::Error::Conflict(Conflict::Version { current }) => {
            let old = form.value("expected_version").to_owned();
            form.refuse(
                "",
                &format!(
                    "version {current} was saved while you were editing version {old}; nothing was saved. Compare \
                     them in the history; saving again puts your text on top of version {current}"
                ),
            );
            form.put("expected_version", current.to_string());
            Ok(())
        }
        error => form.absorb(error),
    }
}

pub fn gutter(document: &str, check: &PolicyCheck) -> Vec<Gutter> {
    let kind = |number: u32| {
        if check.problems.iter().any(|problem| problem.line == number) {
            "bad"
        } else if check.warnings.iter().any(|warning| warning.line == number) {
            "warn"
        } else {
            ""
        }
    };
    (1..).zip(document.split('\n')).map(|(number, _)| Gutter { number, kind: kind(number) }).collect()
}
